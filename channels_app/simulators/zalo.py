"""Zalo official accounts, simulated: signed events, single-use refresh keys, eight free replies, seven days."""

import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from channels_app.simulators._faces import portrait
from channels_app.simulators._zalo_keys import Keys, error
from channels_app.simulators.base import Line, Provider, Request, Response

MB = 1024 * 1024
FREE_REPLIES, FREE_SECONDS, LAST_SECONDS = 8, 48 * 3600, 7 * 86400
PER_MINUTE = 1200
_KINDS = ("image", "gif", "audio", "video", "sticker", "file")
_UPLOADS = {
    "image": (1 * MB, {"image/jpeg", "image/png"}),
    "gif": (5 * MB, {"image/gif"}),
    "file": (5 * MB, None),
}


@dataclass(slots=True)
class Person:
    """What the account may do with one user."""

    wrote_at: float = 0.0  # 0: never
    replies: int = 0  # since they wrote
    follows: bool = True
    anonymous_talk: str = ""


class Zalo(Provider):
    """One official account and one app."""

    kind = "zalo"
    CONFIG: ClassVar = {"app_id": "4076391750271188", "oa_id": "3728442198660133217"}
    SECRETS: ClassVar = {
        "app_secret": "zalo-app-secret-for-show",
        "oa_secret": "zalo-webhook-secret-for-show",
        "access_token": "zalo-access-token-for-show",
        "refresh_token": "zalo-refresh-token-for-show",
    }
    PEOPLE: ClassVar = {
        "8142639005581123456": "Nguyễn Thị Lan",
        "7719305528846201187": "Trần Quốc Bảo",
        "6650417732290058841": "Emily Carter",
    }
    OA_NAME = "Hoa Lư"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.offset = 0.0
        self.keys = Keys(account=self.account, clock=self.clock)
        self.users = {person: Person() for person in self.PEOPLE}
        self.uploads: dict[str, tuple[str, str, bytes]] = {}  # id: kind, name, content
        self.package = 2000  # messages that the account has bought
        self.templates = {"301177": ("Cập nhật đơn hàng", ["name", "order"])}  # id: name, blanks
        self.sent_at: list[float] = []
        self.numbers_for_ids = False  # send ids and timestamps as JSON numbers, as some events are said to
        self.seen_after: float | None = None  # seconds after which people look at what came; None: never

    # --- time -------------------------------------------------------------------------------------------------------
    def advance(self, seconds: float) -> None:
        """Move the provider's clock forward."""
        self.offset += seconds

    def clock(self) -> float:
        return time.time() + self.offset

    # --- our calls --------------------------------------------------------------------------------------------------
    def revoke(self) -> None:
        """Somebody took the app's rights away: neither key is good for anything."""
        self.keys.refuse(self.SECRETS["access_token"])
        self.keys.spent.append(self.SECRETS["refresh_token"])

    def on(self, request: Request) -> Response:
        open_to_all = {"/v4/oa/access_token": self.keys.given, "/v4/oa/permission": self.keys.agreed}
        if request.path in open_to_all:
            return open_to_all[request.path](request)
        if not self.keys.accepts(request.headers.get("access_token", "")):
            code = -124 if request.path.startswith(("/message/template", "/template/")) else -216
            return error(code, "Access token is invalid")
        answers = {
            ("POST", "/v3.0/oa/message/cs"): self._message,
            ("POST", "/v2.0/oa/message"): self._to_anonymous,
            ("POST", "/message/template"): self._template,
            ("POST", "/v2.0/oa/upload/image"): self._upload,
            ("POST", "/v2.0/oa/upload/gif"): self._upload,
            ("POST", "/v2.0/oa/upload/file"): self._upload,
            ("GET", "/template/all"): self._templates,
            ("GET", "/template/info"): self._template_info,
            ("GET", "/v3.0/oa/user/detail"): self._detail,
            ("GET", "/v2.0/oa/getoa"): self._account,
        }
        act = answers.get((request.method, request.path))
        return act(request) if act else error(-201, "No such address")

    def _message(self, request: Request) -> Response:
        said = request.json
        user = (said.get("recipient") or {}).get("user_id")
        if not isinstance(user, str) or user not in self.users:
            return error(-201, "user_id is invalid")
        with self.lock:
            refusal, quota = self._allowed(self.users[user])
            if refusal:
                return refusal
            return self._accepted(user, said.get("message"), quota)

    def _to_anonymous(self, request: Request) -> Response:
        said = request.json
        recipient = said.get("recipient") or {}
        user = self.users.get(str(recipient.get("anonymous_id")))
        if user is None or not user.anonymous_talk or recipient.get("conversation_id") != user.anonymous_talk:
            return error(-201, "anonymous_id or conversation_id is invalid")
        with self.lock:
            return self._accepted(str(recipient["anonymous_id"]), said.get("message"), None)

    def _allowed(self, user: Person) -> tuple[Response | None, dict[str, Any] | None]:
        """Whether a message may go to them now, and what is left after it."""
        at, since = self.clock(), self.clock() - user.wrote_at
        self.sent_at = [one for one in self.sent_at if one > at - 60]
        if len(self.sent_at) >= PER_MINUTE:
            return error(-32, "Your application reaches the limited quota calls per minute"), None
        if not user.follows and not user.wrote_at:
            return error(-213, "User has not followed OA"), None
        if since > LAST_SECONDS:
            return error(-230, "User has not interacted with the OA in the past 7 days"), None
        if since <= FREE_SECONDS and user.replies < FREE_REPLIES:
            left = FREE_REPLIES - user.replies - 1
            until = str(int((user.wrote_at + FREE_SECONDS) * 1000))
            return None, {"quota_type": "reply", "remain": left, "total": FREE_REPLIES, "expired_date": until}
        if self.package <= 0:
            return error(-224, "The OA has used up its package"), None
        self.package -= 1
        day = time.strftime("%d/%m/%Y", time.gmtime(self.clock() + 30 * 86400))
        return None, {"quota_type": "sub_quota", "remain": str(self.package), "total": "2000", "expired_date": day}

    def _accepted(self, user: str, message: Any, quota: dict[str, Any] | None) -> Response:
        line = self._line(user, message)
        if isinstance(line, Response):
            return line
        self.users[user].replies += 1
        self.sent_at.append(self.clock())
        self.lines.append(line)
        self.later(lambda: self._echo(line))
        data = {"message_id": line.id, "user_id": user} | ({"quota": quota} if quota else {})
        return Response({"error": 0, "message": "Success", "data": data})

    def _line(self, user: str, message: Any) -> Line | Response:
        """What the person's phone shows of it, or why it is refused."""
        if not isinstance(message, dict):
            return error(-201, "message is invalid")
        text, attachment = message.get("text", ""), message.get("attachment")
        if not isinstance(text, str) or len(text) > 2000 or not (text.strip() or attachment):
            return error(-201, "text is invalid")
        quoted = message.get("quote_message_id", "")
        if quoted and quoted not in {line.id for line in self.lines if line.person == user}:
            return error(-201, "quote_message_id is invalid")
        line = Line(id=self.new_id(), person=user, direction="out", text=text, state="sent", at=self.clock())
        if quoted:
            line.extra["quotes"] = quoted
        if attachment is None:
            return line
        payload = attachment.get("payload") or {}
        elements = payload.get("elements") or [{}]
        token = payload.get("token") if attachment.get("type") == "file" else elements[0].get("attachment_id")
        kind, name, content = self.uploads.get(str(token), ("", "", b""))
        wanted = "file" if attachment.get("type") == "file" else elements[0].get("media_type")
        if not kind or kind != wanted:
            return error(-201, "attachment is invalid")
        kept = self.keep("file", "application/octet-stream", content)
        line.files.append({"name": name, "type": kind, "url": f"{self.base_url}{kept}"})
        return line

    def _upload(self, request: Request) -> Response:
        kind = request.path.rsplit("/", 1)[-1]
        longest, types = _UPLOADS[kind]
        found = _form_file(request)
        if found is None:
            return error(-201, "file is missing")
        name, content_type, content = found
        if len(content) > longest or (types is not None and content_type not in types):
            return error(-210, "file is too large or of a wrong type")
        made = f"att-{self.number()}"
        self.uploads[made] = (kind, name, content)
        return Response({"error": 0, "data": {"token" if kind == "file" else "attachment_id": made}})

    def _template(self, request: Request) -> Response:
        said = request.json
        name, blanks = self.templates.get(str(said.get("template_id")), ("", []))
        if not name:
            return error(-131, "Template is not approved")
        if set(said.get("template_data") or {}) != set(blanks) or not said.get("tracking_id"):
            return error(-132, "template_data is invalid")
        user = str(said.get("user_id") or "")
        if user not in self.users and not re.fullmatch(r"84[0-9]{9}", str(said.get("phone") or "")):
            return error(-108, "Phone number is invalid")
        values = " · ".join(str(value) for value in said["template_data"].values())
        line = Line(id=self.new_id(), person=user or str(said["phone"]), direction="out", text=values, state="sent")
        line.extra = {"template": said["template_id"], "tracking_id": said["tracking_id"]}
        self.lines.append(line)
        self.later(lambda: self._received(line))
        return Response({"error": 0, "data": {"msg_id": line.id, "quota": {"remainingQuota": "499"}}})

    def _templates(self, request: Request) -> Response:
        rows = [
            {"templateId": int(one), "templateName": name, "status": "ENABLE"}
            for one, (name, _) in self.templates.items()
        ]
        return Response(
            {"error": 0, "data": rows[int(request.query.get("offset", "0")) :], "metadata": {"total": len(rows)}}
        )

    def _template_info(self, request: Request) -> Response:
        wanted = request.query.get("template_id", "")
        name, blanks = self.templates.get(wanted, ("", []))
        if not name:
            return error(-131, "Template is not approved")
        params = [{"name": one, "require": True, "type": "STRING", "maxLength": 100} for one in blanks]
        head = {"templateId": int(wanted), "templateName": name, "status": "ENABLE", "templateTag": "TRANSACTION"}
        return Response({"error": 0, "data": head | {"listParams": params, "previewUrl": "https://zns.oa.zalo.me/p"}})

    def _detail(self, request: Request) -> Response:
        try:
            user = str(json.loads(request.query.get("data", "")).get("user_id"))
        except (ValueError, AttributeError):
            return error(-201, "data is invalid")
        if user not in self.PEOPLE:
            return error(-213, "User has not followed OA")
        path = f"/files/avatars/{user}.png"
        self.files[path] = (portrait(user), "image/png")
        shown = {"user_id": user, "display_name": self.PEOPLE[user], "user_is_follower": self.users[user].follows}
        return Response({"error": 0, "data": {**shown, "avatar": f"{self.base_url}{path}", "avatars": {}}})

    def _account(self, request: Request) -> Response:
        return Response({"error": 0, "data": {"oa_id": self.account["oa_id"], "name": self.OA_NAME}})

    def begin(self) -> None:
        for person in self.PEOPLE:
            self.touched(person)

    # --- what people do ---------------------------------------------------------------------------------------------
    def says(self, person: str, *given: Any, **more: Any) -> str:
        """As for every provider; it opens the free replies anew."""
        self.touched(person)
        return super().says(person, *given, **more)

    def touched(self, person: str) -> None:
        """The person did something that opens the window."""
        with self.lock:
            user = self.users.setdefault(person, Person())
            user.wrote_at, user.replies = self.clock(), 0

    def follows(self, person: str, yes: bool = True) -> None:
        """The person follows the account, or no longer does."""
        self.users[person].follows = yes
        event = self._head("follow" if yes else "unfollow")
        self.push(event | {"oa_id": self._id(self.account["oa_id"]), "follower": {"id": self._id(person)}})

    def reads(self, person: str) -> None:
        """The person looks at everything that came."""
        with self.lock:
            unread = [line for line in self.talk(person) if line.direction == "out" and line.state != "read"]
            for line in unread:
                line.state = "read"
        if unread:
            event = self._from_account("user_seen_message", person)
            self.push(event | {"message": {"msg_ids": [line.id for line in unread]}})

    def typed_in_oa(self, person: str, text: str, admin: str = "5512300077") -> str:
        """Somebody of the shop answers in Zalo's own tool."""
        line = Line(id=self.new_id(), person=person, direction="out", text=text, state="sent", at=self.clock())
        self.lines.append(line)
        event = self._from_account("oa_send_text", person)
        event["sender"]["admin_id"] = admin
        self.push(event | {"message": {"msg_id": line.id, "text": text}})
        return line.id

    def reacts(self, person: str, msg_id: str, icon: str = "/-heart") -> None:
        """The person puts an emoji on a message."""
        message = {"msg_id": msg_id, "react_icon": icon}
        self.push(self._from_person("user_reacted_message", person) | {"message": message})

    # --- payloads ---------------------------------------------------------------------------------------------------
    def new_id(self) -> str:
        return f"{secrets.token_hex(6)}{self.number():06d}"

    def signed(self, body: bytes) -> dict[str, str]:
        moment = str(json.loads(body, parse_int=str, parse_float=str).get("timestamp", ""))
        pieces = (self.account["app_id"].encode(), body, moment.encode(), self.account["oa_secret"].encode())
        return {"X-ZEvent-Signature": "mac=" + hashlib.sha256(b"".join(pieces)).hexdigest()}

    def event(self, person: str, text: str, *, id: str = "", file: tuple[str, str, bytes] | None = None) -> Any:
        message: dict[str, Any] = {"msg_id": id or self.new_id(), "text": text}
        kind = "text"
        if file:
            name, content_type, content = file
            first = content_type.split("/")[0]
            kind = "gif" if content_type == "image/gif" else first if first in _KINDS else "file"
            url = f"{self.base_url}{self.keep('file', content_type, content)}"
            payload = {"url": url, "name": name, "size": str(len(content)), "type": name.rsplit(".", 1)[-1]}
            message["attachments"] = [{"type": kind, "payload": payload}]
        user = self.users.get(person)
        talk = user.anonymous_talk if user else ""
        if talk:
            message["conversation_id"] = talk
        return self._from_person(f"{'anonymous' if talk else 'user'}_send_{kind}", person) | {"message": message}

    def odd(self, person: str) -> Any:
        return self._from_person("user_send_hologram", person) | {"message": {"msg_id": self.new_id()}}

    def envelope(self, events: list[Any]) -> Any:
        """Zalo sends one event a call."""
        (event,) = events
        return event

    def _echo(self, line: Line) -> None:
        """What was sent comes back as an event, then the phone says that it is there."""
        message: dict[str, Any] = {"msg_id": line.id, "text": line.text}
        kind = line.files[0]["type"] if line.files else "text"
        if line.files:
            message["attachments"] = [{"type": kind, "payload": {"url": line.files[0]["url"]}}]
        guest = "anonymous_" if self.users[line.person].anonymous_talk else ""
        if guest:
            message["conversation_id"] = self.users[line.person].anonymous_talk
        self.push(self._from_account(f"oa_send_{guest}{kind}", line.person) | {"message": message})
        self._received(line)

    def _received(self, line: Line) -> None:
        message = {"msg_id": line.id, "delivery_time": str(int(self.clock() * 1000))}
        if tracking := line.extra.get("tracking_id"):
            message["tracking_id"] = tracking
        self.push(self._from_account("user_received_message", line.person) | {"message": message})
        if self.seen_after is not None:
            self.later(lambda: self.reads(line.person), self.seen_after)

    def _head(self, name: str) -> dict[str, Any]:
        moment = str(int(self.clock() * 1000))
        return {
            "app_id": self.account["app_id"],
            "event_name": name,
            "timestamp": int(moment) if self.numbers_for_ids else moment,
        }

    def _from_person(self, name: str, person: str) -> dict[str, Any]:
        ends = {"sender": {"id": self._id(person)}, "recipient": {"id": self._id(self.account["oa_id"])}}
        return self._head(name) | ends

    def _from_account(self, name: str, person: str) -> dict[str, Any]:
        ends = {"sender": {"id": self._id(self.account["oa_id"])}, "recipient": {"id": self._id(person)}}
        return self._head(name) | ends

    def _id(self, value: str) -> str | int:
        return int(value) if self.numbers_for_ids and value.isdecimal() else value


def _form_file(request: Request) -> tuple[str, str, bytes] | None:
    """The part called `file` of a multipart form: name, type, content."""
    boundary = re.search(r'boundary="?([^";]+)', request.headers.get("content-type", ""))
    for piece in request.body.split(b"--" + boundary[1].encode())[1:-1] if boundary else ():
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        said = head.decode("utf-8", "replace")
        name = re.search(r'name="file"; filename="([^"]*)"', said)
        if name:
            content_type = re.search(r"content-type: ([^\r\n;]+)", said, re.I)
            return name[1], content_type[1] if content_type else "", content.removesuffix(b"\r\n")
    return None
