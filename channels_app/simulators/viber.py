"""A loopback Viber: strict about token and fields, fetches the files it is sent, and tells what became of them."""

import hashlib
import hmac
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, ClassVar

from channels_app.simulators.base import Line, Provider, Request, Response

MB = 1024 * 1024
UNANSWERED = 100  # messages in an hour to somebody who does not answer
EVENTS = {"delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started", "message"}
NEEDS = {
    "text": ("text",), "picture": ("media",), "video": ("media", "size"), "file": ("media", "size", "file_name"),
    "url": ("media",), "location": ("location",), "contact": ("contact",), "sticker": ("sticker_id",),
}  # fmt: skip
WORDS = {
    1: "invalidUrl", 2: "invalidAuthToken", 3: "badData", 4: "missingData", 5: "receiverNotRegistered",
    6: "receiverNotSubscribed", 10: "webhookNotSet", 12: "tooManyRequests",
}  # fmt: skip


class Refusal(Exception):
    """A status other than 0."""

    def __init__(self, status: int, more: str = "") -> None:
        super().__init__(more or WORDS[status])
        self.status = status


class Viber(Provider):
    """One bot and the people who have subscribed to it."""

    kind = "viber"
    PEOPLE: ClassVar[dict[str, str]] = {
        "3aB7kQ9xTzW2m1Lp0RvYdg==": "Ngô Hải Yến",
        "8fJ4sNc6UuE5oX1qZyHbKA==": "Lý Quốc Bảo",
        "Zt1gVw0PnM7rC3iDkLeSxQ==": "Oliver Hughes",
    }
    LANGUAGES: ClassVar[dict[str, str]] = {"Zt1gVw0PnM7rC3iDkLeSxQ==": "en"}
    CONFIG: ClassVar[dict[str, str]] = {"bot_name": "Hoa Lư Store"}
    SECRETS: ClassVar[dict[str, str]] = {"auth_token": "4c1d-made-up-viber-token-77ab-90e2"}

    def __init__(self, *, hook_url: str = "", base_url: str = "") -> None:
        super().__init__(hook_url=hook_url, base_url=base_url)
        self.hook: dict[str, Any] = {"url": hook_url, "event_types": sorted(EVENTS)}
        self.left: set[str] = set()  # who has unsubscribed
        self.tracked: dict[str, str] = {}  # person: the tracking data of what they were sent last
        self.says_what_became = True
        self.fetches = True  # whether it gets the files it is sent

    # --- our calls --------------------------------------------------------------------------------------------------
    def on(self, request: Request) -> Response:
        try:
            return Response({"status": 0, "status_message": "ok", **self._result(request)})
        except Refusal as no:
            return Response({"status": no.status, "status_message": str(no)})

    def _result(self, request: Request) -> dict[str, Any]:
        if request.headers.get("x-viber-auth-token") != self.account["auth_token"]:
            raise Refusal(2)
        own: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "/pa/send_message": self._send,
            "/pa/set_webhook": self._set_webhook,
            "/pa/get_account_info": self._account,
            "/pa/get_user_details": self._details,
        }
        if request.method != "POST" or request.path not in own or len(request.body) > 30 * 1024:
            raise Refusal(3)
        return own[request.path](request.json)

    def _send(self, given: dict[str, Any]) -> dict[str, Any]:
        person, kind = given.get("receiver"), given.get("type")
        if not self.hook["url"]:
            raise Refusal(10)
        if kind not in NEEDS or not isinstance(person, str):
            raise Refusal(3)
        if missing := [name for name in NEEDS[kind] if not given.get(name)]:
            raise Refusal(4, f"{missing[0]} is missing")
        name = (given.get("sender") or {}).get("name", "")
        if not 1 <= len(name) <= 28:
            raise Refusal(3, "sender name")
        if person not in self.PEOPLE:
            raise Refusal(5)
        if person in self.left:
            raise Refusal(6)
        if len(str(given.get("text", ""))) > (7000 if kind == "text" else 768):
            raise Refusal(3, "text is too long")
        choices = self._buttons(given)
        files = [self._fetched(kind, given)] if kind in ("picture", "video", "file") else []
        self._count(person)
        token = self._token()
        with self.lock:
            self.tracked[person] = str(given.get("tracking_data", ""))[:4000]
            said = Line(id=str(token), person=person, direction="out", text=str(given.get("text", "")), files=files,
                        choices=choices, state="sent")  # fmt: skip
            self.lines.append(said)
        if self.says_what_became:
            self.later(lambda: self.receipt(said, "delivered"), 0.1)
            self.later(lambda: self.receipt(said, "seen"), 0.4)
        return {"message_token": token, "chat_hostname": "SN-CHAT-05_"}

    def _buttons(self, given: dict[str, Any]) -> list[str]:
        keyboard = given.get("keyboard")
        if keyboard is None:
            return []
        buttons = keyboard.get("Buttons") if keyboard.get("Type") == "keyboard" else None
        if not buttons or any(not one.get("ActionBody") or len(one.get("Text", "")) > 250 for one in buttons):
            raise Refusal(3, "keyboard is not valid")
        if sum(one.get("Rows", 2) * one.get("Columns", 6) for one in buttons) > 24 * 6:
            raise Refusal(3, "keyboard is too large")
        return [str(one["ActionBody"]) for one in buttons]

    def _fetched(self, kind: str, given: dict[str, Any]) -> dict[str, str]:
        """The file behind the address we were given: what cannot be fetched cannot be shown."""
        url, name = str(given["media"]), str(given.get("file_name") or str(given["media"]).rpartition("/")[2])
        if len(url) > 2000:
            raise Refusal(3, "media url is too long")
        if not self.fetches:
            return {"name": name, "type": "", "url": url}
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                content, content_type = response.read(), response.headers.get("Content-Type", "")
        except (OSError, ValueError):
            raise Refusal(3, "media could not be fetched") from None
        if kind == "picture" and (content_type not in ("image/jpeg", "image/png") or len(content) > MB):
            raise Refusal(3, "not a picture")
        if kind in ("file", "video") and given["size"] != len(content):
            raise Refusal(3, "size is wrong")
        path = self.keep(name, content_type, content)
        return {"name": name, "type": content_type, "url": f"{self.base_url}{path}"}

    def _count(self, person: str) -> None:
        """Refuse to go on at somebody who does not answer."""
        unanswered, hour_ago = 0, time.time() - 3600
        for line in reversed(self.talk(person)):
            if line.direction == "in" or line.at < hour_ago:
                break
            unanswered += 1
        if unanswered >= UNANSWERED:
            raise Refusal(12)

    def _set_webhook(self, given: dict[str, Any]) -> dict[str, Any]:
        url, wanted = str(given.get("url", "")), given.get("event_types", sorted(EVENTS))
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")) or not set(wanted) <= EVENTS:
            raise Refusal(1)
        body = {"event": "webhook", "timestamp": _now(), "message_token": self._token()}
        before, self.hook_url = self.hook_url, url
        if self.push(body) != 200:
            self.hook_url = before
            raise Refusal(1, "webhook url does not answer 200")
        self.hook = {"url": url, "event_types": wanted}
        return {"event_types": wanted}

    def _account(self, _given: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": "pa:75346594275468546724", "name": self.CONFIG["bot_name"], "uri": "hoalustore",
            "webhook": self.hook["url"], "event_types": self.hook["event_types"], "subscribers_count": len(self.PEOPLE),
        }  # fmt: skip

    def _details(self, given: dict[str, Any]) -> dict[str, Any]:
        person = str(given.get("id", ""))
        if person not in self.PEOPLE:
            raise Refusal(5)
        return {"message_token": self._token(), "user": self._user(person)}

    # --- calls at the hook ------------------------------------------------------------------------------------------
    def signed(self, body: bytes) -> dict[str, str]:
        mac = hmac.new(self.account["auth_token"].encode(), body, hashlib.sha256).hexdigest()
        return {"X-Viber-Content-Signature": mac}

    def new_id(self) -> str:
        return str(self._token())

    def event(self, person: str, text: str, *, id: str = "", file: tuple[str, str, bytes] | None = None) -> Any:
        message: dict[str, Any] = {"type": "text", "text": text}
        if file:
            name, content_type, content = file
            url = f"{self.base_url}{self.keep(name, content_type, content)}"
            kind = {"image": "picture", "video": "video"}.get(content_type.split("/")[0], "file")
            message = {"type": kind, "media": url, "size": len(content), "file_name": name}
            if text:
                message["text"] = text
        if tracked := self.tracked.get(person):
            message["tracking_data"] = tracked
        return {
            "event": "message", "timestamp": _now(), "chat_hostname": "SN-CHAT-05_",
            "message_token": int(id or self._token()), "sender": self._user(person), "message": message,
            "silent": False,
        }  # fmt: skip

    def odd(self, person: str) -> Any:
        about = {"event": "hologram_shown", "timestamp": _now(), "message_token": self._token()}
        return about | {"user": self._user(person)}

    def envelope(self, events: list[Any]) -> Any:
        return events[0]  # Viber never batches

    def receipt(self, line: Line, what: str, why: str = "") -> None:
        """Tell the desk what became of something it sent: delivered, seen or failed."""
        line.state = {"seen": "read"}.get(what, what)
        about: dict[str, Any] = {"event": what, "timestamp": _now(), "message_token": int(line.id)}
        self.push(about | {"user_id": line.person} | ({"desc": why} if why else {}))

    # --- what people do besides writing -----------------------------------------------------------------------------
    def opens(self, person: str, context: str = "") -> None:
        """A person opens the conversation, by a link that may say where it stood."""
        about = {"event": "conversation_started", "timestamp": _now(), "message_token": self._token(), "type": "open"}
        self.push(about | {"context": context, "user": self._user(person), "subscribed": person not in self.left})

    def leaves(self, person: str, *, again: bool = False) -> None:
        """A person unsubscribes, or subscribes again."""
        (self.left.discard if again else self.left.add)(person)
        about: dict[str, Any] = {"timestamp": _now(), "message_token": self._token()}
        if again:
            self.push({"event": "subscribed", **about, "user": self._user(person)})
        else:
            self.push({"event": "unsubscribed", **about, "user_id": person})

    def _token(self) -> int:
        return 5741311803571721087 + self.number()  # beyond what a double holds exactly

    def _user(self, person: str) -> dict[str, Any]:
        return {
            "id": person, "name": self.PEOPLE.get(person, "Khách Lạ"), "language": self.LANGUAGES.get(person, "vi"),
            "country": "VN", "api_version": 10,
        }  # fmt: skip


def _now() -> int:
    return int(time.time() * 1000)
