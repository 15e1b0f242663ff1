"""LINE as it answers and calls: strict about tokens, retry keys and sizes, with a monthly allowance."""

import base64
import hashlib
import hmac
import re
import time
import uuid
from typing import Any, ClassVar

from channels_app.simulators.base import Line, Provider, Request, Response

ALLOWANCE = 500
TYPES = {"image", "video", "audio", "file"}


class LineOfficial(Provider):
    """One official account. `used` counts what was pushed this month; `blocked` holds who blocked the account."""

    kind: ClassVar[str] = "line"
    PEOPLE: ClassVar[dict[str, str]] = {
        "U" + "a1" * 16: "Phạm Thu Hà",
        "U" + "b2" * 16: "Lê Quốc Anh",
        "U" + "c3" * 16: "Somchai P.",
    }
    CONFIG: ClassVar[dict[str, str]] = {"destination": "U" + "0d" * 16}
    SECRETS: ClassVar[dict[str, str]] = {
        "channel_secret": "5f0c1d2e3b4a59687f8e9dacbb0a1c2d",
        "access_token": "made-up-channel-access-token/1O/w1cDnyilFU=",
    }

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.taken: dict[str, list[dict[str, str]]] = {}  # retry key: what it was answered
        self.contents: dict[str, tuple[bytes, str]] = {}  # message id: content, type
        self.transcoding: set[str] = set()  # messages whose content is not ready yet: said once
        self.allowance, self.used = ALLOWANCE, 0
        self.blocked: set[str] = set()
        self.groups: set[str] = set()

    def on(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.account['access_token']}":
            return _no(401, "Authentication failed. Confirm that the access token in the header is valid.")
        asked = f"{request.method} {request.path}"
        if asked == "POST /v2/bot/message/push":
            return self._push(request)
        if asked == "GET /v2/bot/info":
            return Response({"userId": self.CONFIG["destination"], "basicId": "@hoalu", "displayName": "Hoa Lư Store"})
        if asked == "GET /v2/bot/message/quota":
            return Response({"type": "limited", "value": self.allowance})
        if asked == "GET /v2/bot/message/quota/consumption":
            return Response({"totalUsage": self.used})
        if match := re.fullmatch(r"GET /v2/bot/profile/(\w+)", asked):
            name = self.PEOPLE.get(match[1])
            known = {"userId": match[1], "displayName": name, "language": "vi", "statusMessage": "…"}
            return Response(known) if name and match[1] not in self.blocked else _no(404, "Not found")
        if match := re.fullmatch(r"GET /v2/bot/message/(\d+)/content", asked):
            return self._content(match[1])
        return _no(404, "Not found")

    def signed(self, body: bytes) -> dict[str, str]:
        mac = hmac.new(self.account["channel_secret"].encode(), body, hashlib.sha256)
        return {"X-Line-Signature": base64.b64encode(mac.digest()).decode()}

    def new_id(self) -> str:
        return str(500_000_000_000_000_000 + int(time.time() * 1000) * 1000 + self.number())

    def event(self, person: str, text: str, *, id: str = "", file: tuple[str, str, bytes] | None = None) -> Any:
        message: dict[str, Any] = {"id": id or self.new_id(), "type": "text", "text": text, "quoteToken": "q3Plxr4AgK"}
        if file:
            name, content_type, content = file
            kind = content_type.split("/")[0]
            message = {"id": message["id"], "type": kind if kind in TYPES else "file"}
            if message["type"] == "file":
                message |= {"fileName": name, "fileSize": len(content)}
            else:
                message["contentProvider"] = {"type": "line"}
            self.contents[message["id"]] = (content, content_type)
        return self.about("message", person, message=message)

    def about(self, kind: str, person: str, *, group: str = "", **more: Any) -> Any:
        """An event of any type, by a person or in a group."""
        source = {"type": "group", "groupId": group} if group else {"type": "user"}
        if person:
            source["userId"] = person
        return {
            "type": kind,
            "mode": "active",
            "timestamp": int(time.time() * 1000),
            "source": source,
            "webhookEventId": f"01{uuid.uuid4().hex[:24].upper()}",
            "deliveryContext": {"isRedelivery": False},
            "replyToken": uuid.uuid4().hex,
        } | more

    def odd(self, person: str) -> Any:
        return self.about("hologram", person, hologram={"data": "…"})

    def envelope(self, events: list[Any]) -> Any:
        return {"destination": self.CONFIG["destination"], "events": events}

    def _push(self, request: Request) -> Response:
        key, said = request.headers.get("x-line-retry-key", ""), request.json
        if key and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key):
            return _no(400, "The value of the X-Line-Retry-Key header is not a UUID")
        if problem := self._odd(said):
            return _no(400, problem)
        with self.lock:
            if key and key in self.taken:
                repeated = {"message": "The retry key is already accepted", "sentMessages": self.taken[key]}
                return Response(repeated, 409, {"x-line-accepted-request-id": "r1"})
            if self.used + len(said["messages"]) > self.allowance:
                return _no(429, "You have reached your monthly limit.")
            sent = [self._show(said["to"], message) for message in said["messages"]]
            self.used += len(sent)
            if key:
                self.taken[key] = sent
        return Response({"sentMessages": sent})

    def _show(self, person: str, message: dict[str, Any]) -> dict[str, str]:
        made = self.new_id()
        line = Line(id=made, person=person, direction="out", text=message.get("text", ""), state="sent")
        if message["type"] == "image":
            line.files = [{"name": "image", "type": "image", "url": message["originalContentUrl"]}]
        line.choices = [one["action"]["text"] for one in message.get("quickReply", {}).get("items", [])]
        if person not in self.blocked:  # LINE takes it all the same, and tells nobody
            self.lines.append(line)
        return {"id": made, "quoteToken": "IStG5h1Tz7b"}

    def _odd(self, said: dict[str, Any]) -> str:
        """What is wrong with a push; empty: nothing."""
        messages = said.get("messages")
        if said.get("to") not in {*self.PEOPLE, *self.groups}:
            return "The property, 'to', in the request body is invalid (line: -, column: -)"
        if set(said) != {"to", "messages"} or not isinstance(messages, list) or not 1 <= len(messages) <= 5:
            return "The request body has 1 error(s)"
        return next((problem for one in messages if (problem := _odd_message(one))), "")

    def _content(self, message_id: str) -> Response:
        if message_id in self.transcoding:
            self.transcoding.discard(message_id)
            return Response({}, 202)
        if message_id not in self.contents:
            return _no(404, "Not found")
        content, content_type = self.contents[message_id]
        return Response(content, headers={"Content-Type": content_type})


def _odd_message(message: dict[str, Any]) -> str:
    if message.get("type") == "image":
        urls = [message.get("originalContentUrl", ""), message.get("previewImageUrl", "")]
        return "" if all(one.startswith("https://") and len(one) <= 2000 for one in urls) else "Must be https"
    units = len(str(message.get("text") or "").encode("utf-16-le")) // 2
    if message.get("type") != "text" or not 0 < units <= 5000:
        return "Length must be between 1 and 5000"
    items = message.get("quickReply", {"items": [{}]})["items"]
    actions = [one.get("action", {"label": "x", "text": "x"}) for one in items]
    is_fine = 1 <= len(items) <= 13 and all(0 < len(a["label"]) <= 20 and 0 < len(a["text"]) <= 300 for a in actions)
    return "" if is_fine else "Quick replies: 1 to 13, labels of 1 to 20 characters"


def _no(status: int, message: str) -> Response:
    return Response({"message": message}, status)
