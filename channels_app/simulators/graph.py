"""A simulated Graph API for Messenger and Instagram: tokens, windows, attachments, comments, receipts and echoes."""

import hashlib
import hmac
import json
import re
import time
import urllib.request
from collections import deque
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, ClassVar
from urllib.parse import parse_qs

from channels_app.simulators.base import Line, Provider, Request, Response

DAY = 24 * 3600
WINDOW, HUMAN_WINDOW, PRIVATE_WINDOW = DAY, 7 * DAY, 7 * DAY
MB = 1024 * 1024


class Refusal(Exception):
    """An error object of the Graph API."""

    def __init__(self, status: int, code: int, message: str, subcode: int = 0) -> None:
        super().__init__(message)
        error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AbCdEf"}
        if subcode:
            error["error_subcode"] = subcode
        self.response = Response({"error": error}, status)


@dataclass(slots=True)
class Comment:
    """A comment under a post, whoever wrote it."""

    id: str
    post: str
    person: str  # the account's id for our own
    text: str
    parent: str = ""
    at: float = field(default_factory=time.time)
    answered_privately: bool = False


class GraphProvider(Provider):
    """What Messenger and Instagram have in common."""

    OBJECT: ClassVar[str]
    ACCOUNT_KEY: ClassVar[str]
    REPLY_EDGE: ClassVar[str]  # where an answer to a comment is posted
    MESSAGE_KEYS: ClassVar[frozenset[str]] = frozenset({"text", "attachment", "quick_replies", "metadata"})
    TEXT_LIMIT: ClassVar[int]
    LIMITS: ClassVar[dict[str, int]]  # bytes by kind of attachment
    WINDOW_CODE: ClassVar[tuple[int, int]]
    EARLIER: ClassVar[tuple[Comment, ...]] = ()  # comments that stood there before the demo began
    APP: ClassVar[str] = "424242424242424"
    OTHER_APP: ClassVar[str] = "263902037430900"  # the provider's own inbox
    human_agent = True  # whether the tag is approved for this application

    def __init__(self, *, hook_url: str = "", base_url: str = "") -> None:
        super().__init__(hook_url=hook_url, base_url=base_url)
        started = time.time()
        # Everybody wrote just before we began to listen; a test sets the clock of one person back.
        self.heard: dict[str, float] = dict.fromkeys(self.PEOPLE, started)
        self.blocked: set[str] = set()
        self.attachments: dict[str, dict[str, str]] = {}
        self.comments: dict[str, Comment] = {}
        self.per_second = 0  # how many sends a second are taken; 0 is any number
        self._sends: deque[float] = deque()
        self.subscribed = ["messages", "feed"]  # which events the page sends to the application
        self.silent = False  # neither receipts nor echoes

    @property
    def account_id(self) -> str:
        return self.account[self.ACCOUNT_KEY]

    def signed(self, body: bytes) -> dict[str, str]:
        mac = hmac.new(self.account["app_secret"].encode(), body, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature-256": f"sha256={mac}"}

    def new_id(self) -> str:
        return f"m_{self.kind[:2]}{self.number()}-{time.time_ns():x}"

    def begin(self) -> None:
        for one in self.EARLIER:
            self.comments[one.id] = replace(one, at=time.time())

    # --- what a person does -----------------------------------------------------------------------------------------
    def frame(self, person: str, **what: Any) -> dict[str, Any]:
        """One event of a person's conversation."""
        return {
            "sender": {"id": person},
            "recipient": {"id": self.account_id},
            "timestamp": int(time.time() * 1000),
        } | what

    def event(self, person: str, text: str, *, id: str = "", file: tuple[str, str, bytes] | None = None) -> Any:
        self.heard[person] = time.time()
        message: dict[str, Any] = {"mid": id or self.new_id()}
        if text:
            message["text"] = text
        if file:
            name, content_type, content = file
            kind = content_type.split("/")[0]
            url = f"{self.base_url}{self.keep(name, content_type, content)}?oh=signed"
            kind = kind if kind in ("image", "video", "audio") else "file"
            message["attachments"] = [{"type": kind, "payload": {"url": url}}]
        return self.frame(person, message=message)

    def odd(self, person: str) -> Any:
        return self.frame(person, hologram={"mid": self.new_id(), "shape": "cat"})

    def envelope(self, events: list[Any]) -> Any:
        """Events of conversations; those that name a field are changes."""
        messaging = [event for event in events if "field" not in event]
        changes = [event for event in events if "field" in event]
        entry: dict[str, Any] = {"id": self.account_id, "time": int(time.time() * 1000)}
        if messaging:
            entry["messaging"] = messaging
        if changes:
            entry["changes"] = changes
        return {"object": self.OBJECT, "entry": [entry]}

    def says(self, person: str, text: str = "", *, file: tuple[str, str, bytes] | None = None, times: int = 1) -> str:
        """As Provider.says; what begins with /comment is written under a post, so that a phone can do that too."""
        if text.startswith("/comment "):
            return self.comments_on(person, text.removeprefix("/comment ")).id
        return super().says(person, text, file=file, times=times)

    def does(self, person: str, **what: Any) -> int:
        """A person presses, reacts, edits, takes back …: the hook's status."""
        self.heard[person] = time.time()
        return self.push(self.envelope([self.frame(person, **what)]))

    def comment_event(self, comment: Comment, verb: str = "add") -> Any:
        """What the provider sends of a comment."""
        raise NotImplementedError

    def comments_on(self, person: str, text: str, *, post: str = "", parent: str = "") -> Comment:
        """A person writes under a post: everybody sees it, and the hook is called."""
        found = self.note(person, text, post=post or self.a_post(), parent=parent)
        with self.lock:
            line = Line(id=found.id, person=person, direction="in", text=text, extra={"comment": True})
            self.lines.append(line)
        self.push(self.envelope([self.comment_event(found)]))
        return found

    def a_post(self) -> str:
        """The id of the account's post everybody comments on."""
        return f"{self.account_id}_1000001"

    def note(self, person: str, text: str, *, post: str, parent: str = "") -> Comment:
        """A comment that stands there now, of which nobody is told yet."""
        found = Comment(self.comment_id(post), post, person, text, parent)
        self.comments[found.id] = found
        return found

    def comment_id(self, post: str) -> str:
        return f"{post.rpartition('_')[2]}_{2000000 + self.number()}"

    def types_elsewhere(self, person: str, text: str) -> str:
        """A colleague answers in the provider's own inbox: the id."""
        mid = self.new_id()
        with self.lock:
            self.lines.append(Line(id=mid, person=person, direction="out", text=text, extra={"elsewhere": True}))
        self.push(self.envelope([self.echo(person, mid, {"text": text}, app=self.OTHER_APP)]))
        return mid

    def echo(self, person: str, mid: str, message: dict[str, Any], *, app: str) -> Any:
        said = {"mid": mid, "is_echo": True, "app_id": int(app)} | message
        frame = self.frame(person, message=said)
        return frame | {"sender": frame["recipient"], "recipient": frame["sender"]}

    # --- what the desk asks -----------------------------------------------------------------------------------------
    def on(self, request: Request) -> Response:
        try:
            return Response(self._on(request))
        except Refusal as refusal:
            return refusal.response

    def _on(self, request: Request) -> Any:
        if request.path == "/refresh_access_token":
            return self.refresh(request)
        version, _slash, path = request.path.strip("/").partition("/")
        if not re.fullmatch(r"v\d+\.\d", version):
            raise Refusal(400, 2500, "Unknown path components")
        if request.headers.get("authorization") != f"Bearer {self.account['access_token']}":
            raise Refusal(401, 190, "Error validating access token: the session has been invalidated", 460)
        first, _slash, edge = path.partition("/")
        own = first in ("me", self.account_id)
        if request.method == "POST" and own and edge == "messages":
            return self.take(request.json)
        if request.method == "POST" and own and edge == "message_attachments":
            return self.upload(request)
        if request.method == "POST" and edge == self.REPLY_EDGE:
            return self.answer_comment(first, request)
        if request.method == "GET" and not edge:
            return self.me(request) if own else self.person(first, request)
        if request.method == "GET" and own and edge == "subscribed_apps":
            return {"data": [{"id": self.APP, "subscribed_fields": self.subscribed}]}
        raise Refusal(400, 100, f"Unsupported {request.method.lower()} request", 33)

    def refresh(self, request: Request) -> Any:
        raise Refusal(400, 2500, "Unknown path components")

    def me(self, request: Request) -> Any:
        raise NotImplementedError

    def person(self, person: str, request: Request) -> Any:
        raise NotImplementedError

    def named(self, request: Request, known: dict[str, Any]) -> dict[str, Any]:
        """Those of the known fields that were asked for; an unknown field is refused."""
        wanted = [name.partition("{")[0] for name in re.findall(r"[a-z_]+(?:\{[^}]*\})?", request.query["fields"])]
        if unknown := [name for name in wanted if name not in known]:
            raise Refusal(400, 100, f"Tried accessing nonexisting field ({unknown[0]})")
        return {name: known[name] for name in {*wanted, "id"} if name in known and known[name] is not None}

    def take(self, body: dict[str, Any]) -> dict[str, Any]:
        """One message of the desk, refused for whatever the provider would refuse it."""
        self._ensure_pace()
        unknown = set(body) - {"recipient", "message", "messaging_type", "tag"}
        message, recipient = body.get("message"), body.get("recipient")
        if unknown or not isinstance(message, dict) or not isinstance(recipient, dict) or len(recipient) != 1:
            raise Refusal(400, 100, f"(#100) Param error: {sorted(unknown) or 'message and recipient are required'}")
        self._ensure_message(message)
        comment = self._commented(recipient)
        person = comment.person if comment else str(recipient.get("id", ""))
        if person not in self.PEOPLE:
            raise Refusal(400, 100, "(#100) No matching user found", 2018001)
        if person in self.blocked:
            raise Refusal(400, 551, "(#551) This person isn't available right now.", 1545041)
        if not comment:
            self._ensure_window(person, body)
        mid = self.new_id()
        if comment:
            comment.answered_privately = True
        self._show(person, mid, message)
        return {"recipient_id": person, "message_id": mid}

    def _ensure_pace(self) -> None:
        now = time.monotonic()
        while self._sends and self._sends[0] < now - 1:
            self._sends.popleft()
        if self.per_second and len(self._sends) >= self.per_second:
            raise Refusal(400, 613, "(#613) Calls to this api have exceeded the rate limit.")
        self._sends.append(now)

    def _ensure_message(self, message: dict[str, Any]) -> None:
        text, attachment = message.get("text"), message.get("attachment")
        if set(message) - self.MESSAGE_KEYS or (text is None) == (attachment is None):
            raise Refusal(400, 100, "(#100) message must be either a text or an attachment")
        if attachment is not None:
            self.check_attachment(attachment)
        elif not isinstance(text, str) or not text.strip() or self.length(text) > self.TEXT_LIMIT:
            raise Refusal(400, 100, "(#100) Length of param message[text] must be less than or equal to the limit")
        metadata = message.get("metadata", "")
        if not isinstance(metadata, str) or len(metadata) > 1000:
            raise Refusal(400, 100, "(#100) metadata must be a string of at most 1000 characters")
        choices = message.get("quick_replies", [])
        fits = isinstance(choices, list) and len(choices) <= 13 and all(_is_choice(choice) for choice in choices)
        if not fits:
            raise Refusal(400, 100, "(#100) quick_replies are wrong")

    def length(self, text: str) -> int:
        return len(text)

    def check_attachment(self, attachment: Any) -> None:
        """Refuse what cannot be sent."""
        raise NotImplementedError

    def _commented(self, recipient: dict[str, Any]) -> Comment | None:
        """The comment that is answered privately: once, within seven days."""
        if "id" in recipient:
            return None
        found = self.comments.get(str(recipient.get("comment_id") or recipient.get("post_id") or ""))
        if found is None:
            raise Refusal(400, 100, "(#100) Unsupported post request. Object does not exist", 33)
        if found.answered_privately:
            raise Refusal(400, 10900, "(#10900) Activity already replied to.")
        if found.at < time.time() - PRIVATE_WINDOW:
            raise Refusal(400, 10903, "(#10903) This user cannot reply to this activity.")
        return found

    def _ensure_window(self, person: str, body: dict[str, Any]) -> None:
        kind, tag = body.get("messaging_type", "RESPONSE"), body.get("tag")
        since = time.time() - self.heard[person]
        if kind == "MESSAGE_TAG" and tag == "HUMAN_AGENT" and self.human_agent:
            longest = HUMAN_WINDOW
        elif kind == "RESPONSE" and tag is None:
            longest = WINDOW
        else:
            raise Refusal(400, 100, "(#100) Invalid parameter")
        if since > longest:
            code, subcode = self.WINDOW_CODE
            raise Refusal(403, code, "(#10) This message is sent outside of allowed window.", subcode)

    def _show(self, person: str, mid: str, message: dict[str, Any]) -> None:
        """It is on the person's phone; then the receipts and the echo go out."""
        files, attachment = [], message.get("attachment")
        if attachment:
            kept = self.attached(attachment)
            files = [{"name": kept["name"], "type": kept["type"], "url": f"{self.base_url}{kept['path']}"}]
        choices = [choice["title"] for choice in message.get("quick_replies", [])]
        shown = Line(id=mid, person=person, direction="out", text=message.get("text", ""), files=files, choices=choices)
        with self.lock:
            self.lines.append(shown)
        echoed: dict[str, Any] = {name: message[name] for name in ("text", "metadata") if name in message}
        if files:
            kind = attachment["type"] if attachment else "file"
            echoed["attachments"] = [{"type": kind, "payload": {"url": files[0]["url"]}}]
        if self.hook_url and not self.silent:
            self.later(lambda: self.after(shown, echoed))

    def after(self, shown: Line, echoed: dict[str, Any]) -> None:
        """What the hook hears of a message that has arrived."""
        self.push(self.envelope([self.echo(shown.person, shown.id, echoed, app=self.APP)]))
        for state, event in self.receipts(shown):
            self.push(self.envelope([event]))
            shown.state = state

    def receipts(self, shown: Line) -> list[tuple[str, Any]]:
        """The receipts of a message, in order: the state and the event."""
        raise NotImplementedError

    def attached(self, attachment: dict[str, Any]) -> dict[str, str]:
        """Name, type and path of what was sent."""
        raise NotImplementedError

    def upload(self, request: Request) -> dict[str, str]:
        """Take the bytes of a file ahead of the message."""
        parts = multipart(request)
        described = json.loads(parts.get("message", ("", "", b"{}"))[2])
        kind = described.get("attachment", {}).get("type", "")
        name, content_type, content = parts.get("filedata", ("", "", b""))
        if kind not in self.LIMITS or not content or not name:
            raise Refusal(400, 100, "(#100) Upload attachment failure.", 2018047)
        if len(content) > self.LIMITS[kind]:
            raise Refusal(400, 100, "(#100) Attachment size exceeds allowable limit", 2018109)
        made = str(700000000000000 + self.number())
        path = self.keep(f"{made}", content_type, content)
        self.attachments[made] = {"kind": kind, "name": name, "type": content_type, "path": path}
        return {"attachment_id": made}

    def answer_comment(self, comment_id: str, request: Request) -> dict[str, str]:
        """The account answers in public."""
        above = self.comments.get(comment_id)
        if above is None:
            raise Refusal(400, 100, "(#100) Unsupported post request. Object does not exist", 33)
        is_parts = request.headers.get("content-type", "").startswith("multipart/")
        given = multipart(request) if is_parts else {}
        form = parse_qs(request.body.decode("utf-8", "replace")) if not is_parts else {}
        text = form.get("message", [""])[-1] or given.get("message", ("", "", b""))[2].decode()
        if not text.strip() and "source" not in given:
            raise Refusal(400, 100, "(#100) A comment needs a message")
        own = self.note(self.account_id, text, post=above.post, parent=above.id)
        with self.lock:
            self.lines.append(Line(id=own.id, person=above.person, direction="out", text=text, extra={"comment": True}))
        if self.hook_url and not self.silent:
            self.later(lambda: self.push(self.envelope([self.comment_event(own)])))
        return {"id": own.id}


def _is_choice(choice: Any) -> bool:
    if not isinstance(choice, dict) or set(choice) != {"content_type", "title", "payload"}:
        return False
    title, payload = choice["title"], choice["payload"]
    fits = isinstance(title, str) and isinstance(payload, str) and 0 < len(title) <= 20 and 0 < len(payload) <= 1000
    return fits and choice["content_type"] == "text"


def multipart(request: Request) -> dict[str, tuple[str, str, bytes]]:
    """The parts of a form with files, by name: filename, type, content."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    found: dict[str, tuple[str, str, bytes]] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts():
        name = str(part.get_param("name", "", header="content-disposition"))
        content = part.get_payload(decode=True)
        kept = content if isinstance(content, bytes) else b""
        found[name] = (part.get_filename() or "", part.get_content_type(), kept)
    return found


def fetched(url: str) -> tuple[bytes, str]:
    """A file the desk offers at an address, as the provider fetches it."""
    if not url.startswith(("http://", "https://")):
        raise Refusal(400, 100, "(#100) url should represent a valid URL", 2018047)
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read(), answer.headers.get_content_type()
    except OSError:
        raise Refusal(400, 100, "(#100) Failed to fetch the file from the url", 2018008) from None
