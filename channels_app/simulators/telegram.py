"""A loopback Telegram: strict about the token and every field, with chats, albums, buttons, reactions and blocks."""

import json
import time
from collections import deque
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from typing import Any, ClassVar

from channels_app.simulators.base import Line, Provider, Request, Response

BOT = {"id": 7012345678, "is_bot": True, "first_name": "Hoa Lư Store", "username": "hoalu_store_bot"}
OVERALL, A_CHAT = 30, 10  # messages a second: for the bot, and in a burst to one chat
PHOTO, FILE, DOWNLOAD = 10 * 1024 * 1024, 50 * 1024 * 1024, 20 * 1024 * 1024
SENDS = {
    "sendMessage": "text", "sendPhoto": "photo", "sendDocument": "document", "sendVideo": "video",
    "sendAudio": "audio", "sendVoice": "voice", "sendAnimation": "animation",
}  # fmt: skip
KNOWN = {
    *("chat_id", "text", "caption", "reply_parameters", "reply_markup", "business_connection_id", "parse_mode"),
    *SENDS.values(),
}


class Refusal(Exception):
    """An answer that is not ok."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


class Telegram(Provider):
    """One bot and the people who write to it."""

    kind = "telegram"
    PEOPLE: ClassVar[dict[str, str]] = {
        "5810234417": "Trần Minh Khoa",
        "6120987354": "Đỗ Thu Hà",
        "1987654320": "Emily Carter",
    }
    LANGUAGES: ClassVar[dict[str, str]] = {"1987654320": "en"}
    CONFIG: ClassVar[dict[str, str]] = {"bot_username": BOT["username"]}  # type: ignore[dict-item]
    SECRETS: ClassVar[dict[str, str]] = {
        "token": "7012345678:AAH-made-up-for-the-simulator-3kQ",
        "secret_token": "made-up_Telegram-secret_91",
    }

    def __init__(self, *, hook_url: str = "", base_url: str = "") -> None:
        super().__init__(hook_url=hook_url, base_url=base_url)
        self.hook: dict[str, Any] = {"url": hook_url, "allowed_updates": None}
        self.blocked: set[str] = set()
        self.moved: dict[str, str] = {}  # group: the supergroup it has become
        self.groups: dict[str, str] = {}  # id: title
        self.uploads: dict[str, tuple[str, bytes, str]] = {}  # file id: path, content, type
        self.pictures: dict[str, str] = {}  # person: file id
        self.queries: set[str] = set()  # pressed buttons that still wait for an answer
        self.refuses_photos = False
        self._sent: deque[tuple[float, str]] = deque()
        self._updates = 481000

    # --- our calls --------------------------------------------------------------------------------------------------
    def on(self, request: Request) -> Response:
        try:
            return Response({"ok": True, "result": self._result(request)})
        except Refusal as no:
            body = {"ok": False, "error_code": no.status, "description": no.description}
            return Response(body | ({"parameters": no.parameters} if no.parameters else {}), no.status)

    def answer(self, request: Request) -> Response | None:
        """Files are given out by the address that holds the token."""
        before = f"/file/bot{self.account['token']}/"
        if request.method == "GET" and request.path.startswith(before):
            self.calls.append(request)
            wanted = request.path.removeprefix(before)
            for path, content, _type in self.uploads.values():
                if path == wanted:
                    return Response(content, headers={"Content-Type": "application/octet-stream"})
            return Response({"ok": False, "error_code": 404, "description": "Not Found"}, 404)
        return super().answer(request)

    def _result(self, request: Request) -> Any:
        token, _slash, method = request.path.removeprefix("/bot").partition("/")
        if not request.path.startswith("/bot") or ":" not in token:
            raise Refusal(404, "Not Found")
        if token != self.account["token"]:
            raise Refusal(401, "Unauthorized")
        given = fields(request)
        if method in SENDS:
            return self._send(method, given)
        own: dict[str, Callable[[dict[str, Any]], Any]] = {
            "getMe": lambda _given: BOT,
            "getFile": self._get_file,
            "getChat": self._get_chat,
            "getUserProfilePhotos": self._get_photos,
            "setWebhook": self._set_webhook,
            "getWebhookInfo": lambda _given: self.hook | {"pending_update_count": 0, "has_custom_certificate": False},
            "answerCallbackQuery": self._answer_query,
        }
        if method not in own:
            raise Refusal(404, "Not Found: method not found")
        return own[method](given)

    def _send(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        chat = str(given.get("chat_id", ""))
        if strange := sorted(set(given) - KNOWN):
            raise Refusal(400, f"Bad Request: unknown field {strange[0]}")
        if chat in self.moved:
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, description, migrate_to_chat_id=int(self.moved[chat]))
        if chat not in self.PEOPLE and chat not in self.groups:
            raise Refusal(400, "Bad Request: chat not found")
        if chat in self.blocked:
            gone = "bot was kicked from the supergroup chat" if chat in self.groups else "bot was blocked by the user"
            raise Refusal(403, f"Forbidden: {gone}")
        text, files = self._content(method, given)
        choices = self._buttons(given)
        self._count(chat)
        message_id = self.new_id()
        answered = structure(given.get("reply_parameters"))
        with self.lock:
            known = {line.id for line in self.lines}
            replied = str(answered.get("message_id", ""))
            if replied and replied not in known and answered.get("allow_sending_without_reply") is not True:
                raise Refusal(400, "Bad Request: message to be replied not found")
            extra = {"quotes": replied} if replied in known else {}
            if business := given.get("business_connection_id"):
                extra["business"] = str(business)
            said = Line(id=message_id, person=chat, direction="out", text=text, files=files, choices=choices,
                        state="sent", extra=extra)  # fmt: skip
            self.lines.append(said)
        return {"message_id": int(message_id), "date": int(time.time()), "chat": self._chat(chat), "from": BOT} | (
            {"text": text} if method == "sendMessage" else {"caption": text}
        )

    def _content(self, method: str, given: dict[str, Any]) -> tuple[str, list[dict[str, str]]]:
        if method == "sendMessage":
            text = given.get("text")
            if not isinstance(text, str) or not text.strip():
                raise Refusal(400, "Bad Request: message text is empty")
            if len(text) > 4096:
                raise Refusal(400, "Bad Request: message is too long")
            return text, []
        file, caption = given.get(SENDS[method]), str(given.get("caption", ""))
        if not isinstance(file, tuple) or not file[1]:
            raise Refusal(400, f"Bad Request: there is no {SENDS[method]} in the request")
        if len(caption) > 1024:
            raise Refusal(400, "Bad Request: message caption is too long")
        if method == "sendPhoto" and (self.refuses_photos or not file[2].startswith("image/")):
            raise Refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
        if len(file[1]) > (PHOTO if method == "sendPhoto" else FILE):
            raise Refusal(413, "Request Entity Too Large")
        path = self.keep(file[0], file[2], file[1])
        return caption, [{"name": file[0], "type": file[2], "url": f"{self.base_url}{path}"}]

    def _buttons(self, given: dict[str, Any]) -> list[str]:
        titles = []
        for row in structure(given.get("reply_markup")).get("inline_keyboard", []):
            for button in row:
                if not 1 <= len(str(button.get("callback_data", "")).encode()) <= 64 or not button.get("text"):
                    raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
                titles.append(str(button["text"]))
        return titles

    def _count(self, chat: str) -> None:
        """Refuse what comes too fast."""
        now = time.monotonic()
        with self.lock:
            while self._sent and self._sent[0][0] < now - 1:
                self._sent.popleft()
            here = sum(1 for _at, other in self._sent if other == chat)
            if len(self._sent) >= OVERALL or here >= A_CHAT:
                raise Refusal(429, "Too Many Requests: retry after 1", retry_after=1)
            self._sent.append((now, chat))

    def _get_file(self, given: dict[str, Any]) -> dict[str, Any]:
        file_id = str(given.get("file_id", ""))
        if file_id not in self.uploads:
            raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        path, content, _type = self.uploads[file_id]
        if len(content) > DOWNLOAD:
            raise Refusal(400, "Bad Request: file is too big")
        return {"file_id": file_id, "file_unique_id": file_id[-8:], "file_size": len(content), "file_path": path}

    def _get_chat(self, given: dict[str, Any]) -> dict[str, Any]:
        chat = str(given.get("chat_id", ""))
        if chat not in self.PEOPLE and chat not in self.groups:
            raise Refusal(400, "Bad Request: chat not found")
        return self._chat(chat)

    def _get_photos(self, given: dict[str, Any]) -> dict[str, Any]:
        file_id = self.pictures.get(str(given.get("user_id", "")))
        if not file_id:
            return {"total_count": 0, "photos": []}
        sizes = [{"file_id": f"{file_id}-small", "width": 160, "height": 160}]
        return {"total_count": 1, "photos": [[*sizes, {"file_id": file_id, "width": 640, "height": 640}]]}

    def _set_webhook(self, given: dict[str, Any]) -> bool:
        url, secret = str(given.get("url", "")), str(given.get("secret_token", ""))
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if not 1 <= len(secret) <= 256 or not all(one.isascii() and (one.isalnum() or one in "_-") for one in secret):
            raise Refusal(400, "Bad Request: bad webhook: secret token is invalid")
        self.hook = {"url": url, "allowed_updates": given.get("allowed_updates"), "max_connections": 40}
        self.hook_url, self.account["secret_token"] = url, secret
        return True

    def _answer_query(self, given: dict[str, Any]) -> bool:
        query = str(given.get("callback_query_id", ""))
        if query not in self.queries:
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.queries.discard(query)
        return True

    # --- calls at the hook ------------------------------------------------------------------------------------------
    def signed(self, body: bytes) -> dict[str, str]:
        return {"X-Telegram-Bot-Api-Secret-Token": self.account["secret_token"]}

    def push(self, payload: Any, *, times: int = 1, signed: dict[str, str] | None = None) -> int:
        """As the base does; and what the answer's body asks for is done, as Telegram does it."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = {"Content-Type": "application/json"} | (self.signed(body) if signed is None else signed)
        status = 0
        for _ in range(times):
            status, answer = self.transport(self.hook_url, body, headers)
            self.pushed.append((body, status))
            said = json.loads(answer) if status == 200 and answer.startswith(b"{") else {}
            if said.get("method") == "answerCallbackQuery":
                self._answer_query(said)
        return status

    def new_id(self) -> str:
        return str(self.number() + 100)

    def update(self, kind: str, about: dict[str, Any]) -> dict[str, Any]:
        """An update with the next number."""
        with self.lock:
            self._updates += 1
            return {"update_id": self._updates, kind: about}

    def message(self, person: str, *, id: str = "", chat: str = "", **content: Any) -> dict[str, Any]:
        """A message of a person, in their own chat with the bot or in a group."""
        return {
            "message_id": int(id or self.new_id()), "from": self._user(person), "chat": self._chat(chat or person),
            "date": int(time.time()), **content,
        }  # fmt: skip

    def event(self, person: str, text: str, *, id: str = "", file: tuple[str, str, bytes] | None = None) -> Any:
        content: dict[str, Any] = {"text": text} if not file else self.attached(*file)
        if file and text:
            content["caption"] = text
        return self.update("message", self.message(person, id=id, **content))

    def attached(self, name: str, content_type: str, content: bytes) -> dict[str, Any]:
        """The field of a message that holds this file."""
        file_id = self.hold(name, content_type, content)
        common = {"file_id": file_id, "file_unique_id": file_id[-8:], "file_size": len(content)}
        if content_type in ("image/jpeg", "image/png"):
            small = {"file_id": f"{file_id}-small", "file_unique_id": "s", "width": 90, "height": 67}
            return {"photo": [small, common | {"width": 1280, "height": 960}]}
        field = {"video/mp4": "video", "audio/mpeg": "audio", "audio/ogg": "voice"}.get(content_type, "document")
        return {field: common | {"file_name": name, "mime_type": content_type}}

    def hold(self, name: str, content_type: str, content: bytes) -> str:
        """Keep a file for getFile; its id."""
        number = self.number()
        file_id = f"AgACAgUAAxkBAAM{number:04d}"
        self.uploads[file_id] = (f"documents/file_{number}{name[-5:]}", content, content_type)
        return file_id

    def odd(self, person: str) -> Any:
        about = {"chat": self._chat(person), "from": self._user(person), "date": int(time.time()), "warmth": 3}
        return self.update("telepathic_message", about)

    def envelope(self, events: list[Any]) -> Any:
        return events[0]  # Telegram never batches

    # --- what people do besides writing -----------------------------------------------------------------------------
    def edits(self, person: str, id: str, text: str) -> None:
        """A person changes what they wrote."""
        with self.lock:
            for line in self.lines:
                if line.id == id:
                    line.text = text
        message = self.message(person, id=id, text=text) | {"edit_date": int(time.time())}
        self.push(self.update("edited_message", message))

    def presses(self, person: str, id: str, title: str) -> str:
        """A person presses a button under one of our messages; the id of the query."""
        with self.lock:
            line = next(line for line in self.lines if line.id == id and line.person == person)
        buttons = [[{"text": one, "callback_data": f"choice-{at}"}] for at, one in enumerate(line.choices)]
        query = str(4000000000000000000 + self.number())
        self.queries.add(query)
        message = {
            "message_id": int(id), "date": int(line.at), "chat": self._chat(person), "from": BOT, "text": line.text,
            "reply_markup": {"inline_keyboard": buttons},
        }  # fmt: skip
        about = {"id": query, "from": self._user(person), "message": message, "chat_instance": "1"}
        self.push(self.update("callback_query", about | {"data": f"choice-{line.choices.index(title)}"}))
        return query

    def reacts(self, person: str, id: str, emoji: str) -> None:
        """A person reacts to a message; an empty emoji takes it back."""
        new = [{"type": "emoji", "emoji": emoji}] if emoji else []
        about = {
            "chat": self._chat(person), "message_id": int(id), "user": self._user(person), "date": int(time.time()),
            "old_reaction": [], "new_reaction": new,
        }  # fmt: skip
        self.push(self.update("message_reaction", about))

    def blocks(self, person: str, *, again: bool = False) -> None:
        """A person blocks the bot, or lets it in again."""
        (self.blocked.discard if again else self.blocked.add)(person)
        was, now = ("kicked", "member") if again else ("member", "kicked")
        about = {
            "chat": self._chat(person), "from": self._user(person), "date": int(time.time()),
            "old_chat_member": {"user": BOT, "status": was}, "new_chat_member": {"user": BOT, "status": now},
        }  # fmt: skip
        self.push(self.update("my_chat_member", about))

    def _user(self, person: str) -> dict[str, Any]:
        return {"is_bot": False, "language_code": self.LANGUAGES.get(person, "vi"), **self._called(person)}

    def _called(self, person: str) -> dict[str, Any]:
        first, _space, last = self.PEOPLE.get(person, "Khách Lạ").rpartition(" ")
        return {"id": int(person), "first_name": first, "last_name": last}

    def _chat(self, chat: str) -> dict[str, Any]:
        if chat in self.groups:
            return {"id": int(chat), "type": "supergroup", "title": self.groups[chat]}
        return {"type": "private", **self._called(chat)}


def structure(value: Any) -> dict[str, Any]:
    """An object, sent as such or as JSON within a form."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Refusal(400, "Bad Request: can't parse JSON object") from None
    return value if isinstance(value, dict) else {}


def fields(request: Request) -> dict[str, Any]:
    """What a call carries, in whichever of the three ways; a file as (name, content, type)."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return request.json if kind.startswith("application/json") else {**request.query, **request.form}
    whole = b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.body
    found: dict[str, Any] = {}
    for piece in BytesParser(policy=policy.HTTP).parsebytes(whole).iter_parts():
        name, content = piece.get_param("name", header="content-disposition"), piece.get_payload(decode=True)
        file, held = piece.get_filename(), content if isinstance(content, bytes) else b""
        found[str(name)] = (file, held, piece.get_content_type()) if file else held.decode()
    return found
