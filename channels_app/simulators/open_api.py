"""A shop's own app as it would speak to the desk: Standard Webhooks both ways, made with nothing but the standard."""

import base64
import hashlib
import hmac
import time
from typing import Any, ClassVar

from channels_app.simulators.base import Line, Provider, Request, Response

TOLERANCE = 300  # seconds
FIELDS = {"type", "id", "to", "author", "text", "attachments", "choices", "quotes", "auto"}


class OwnApp(Provider):
    """It takes each webhook-id once, and says of every answer that it was delivered and read."""

    kind: ClassVar[str] = "open_api"
    PEOPLE: ClassVar[dict[str, str]] = {
        "app-1001": "Nguyễn Thị Mai",
        "app-1002": "Trần Văn Bình",
        "app-1003": "Ann Lee",
    }
    CONFIG: ClassVar[dict[str, str]] = {}
    SECRETS: ClassVar[dict[str, str]] = {
        "signing_secret": "whsec_" + base64.b64encode(b"own app of Hoa Lu, 32 bytes").decode()
    }

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.taken: dict[str, dict[str, str]] = {}  # webhook-id: what it was answered

    def on(self, request: Request) -> Response:
        if request.method != "POST":
            return Response({"error": "POST only"}, 405)
        if problem := self._forged(request):
            return Response({"error": problem}, 401)
        said = request.json
        if said.get("type") == "ping":
            return Response({"status": "ok"})
        if problem := self._odd(said):
            return Response({"error": problem}, 422)
        call_id = request.headers["webhook-id"]
        with self.lock:
            if call_id not in self.taken:
                self.taken[call_id] = {"id": self.new_id()}
                self._show(said, self.taken[call_id]["id"])
            return Response(self.taken[call_id])

    def signed(self, body: bytes) -> dict[str, str]:
        call_id, moment = f"msg_{self.number()}", str(int(time.time()))
        return {
            "webhook-id": call_id,
            "webhook-timestamp": moment,
            "webhook-signature": "v1," + self._signature(call_id, moment, body),
        }

    def event(self, person: str, text: str, *, id: str = "", file: tuple[str, str, bytes] | None = None) -> Any:
        said: dict[str, Any] = {
            "type": "message",
            "external_id": id or self.new_id(),
            "sender": {"id": person, "name": self.PEOPLE.get(person, "")},
            "text": text,
            "occurred_at": _moment(),
        }
        if file:
            name, content_type, content = file
            url = self.base_url + self.keep(name, content_type, content)
            said["attachments"] = [{"filename": name, "content_type": content_type, "url": url}]
        return said

    def odd(self, person: str) -> Any:
        return {"type": "wave", "sender": {"id": person}, "strength": 3, "occurred_at": _moment()}

    def envelope(self, events: list[Any]) -> Any:
        return events[0] if len(events) == 1 else {"events": events}

    def about(self, kind: str, person: str, message_id: str, **more: Any) -> Any:
        """An edit, an unsend or a reaction of a person."""
        return {"type": kind, "external_id": message_id, "sender": {"id": person}, "occurred_at": _moment()} | more

    def receipt(self, delivery_id: str, state: str, **more: Any) -> Any:
        """What became of an answer, by the id the desk gave it."""
        return {"type": "receipt", "id": delivery_id, "state": state, "occurred_at": _moment()} | more

    def _show(self, said: dict[str, Any], made: str) -> None:
        files = [
            {"name": one["filename"], "type": one["content_type"], "url": one["url"]} for one in said["attachments"]
        ]
        line = Line(id=made, person=said["to"]["id"], direction="out", text=said["text"], files=files)
        line.choices, line.state, line.extra = said["choices"], "sent", {"quotes": said["quotes"]}
        self.lines.append(line)
        if self.hook_url:
            self.later(lambda: self._tell(line, said["id"], "delivered"))
            self.later(lambda: self._tell(line, said["id"], "read"), 0.6)

    def _tell(self, line: Line, delivery_id: str, state: str) -> None:
        line.state = state
        self.push(self.receipt(delivery_id, state))

    def _forged(self, request: Request) -> str:
        call_id, moment = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not call_id or not moment.isdigit() or abs(time.time() - int(moment)) > TOLERANCE:
            return "no id, or not of now"
        wanted = "v1," + self._signature(call_id, moment, request.body)
        given = request.headers.get("webhook-signature", "").split(" ")
        return "" if any(hmac.compare_digest(one, wanted) for one in given) else "bad signature"

    def _signature(self, call_id: str, moment: str, body: bytes) -> str:
        key = base64.b64decode(self.account["signing_secret"].removeprefix("whsec_"))
        return base64.b64encode(hmac.new(key, f"{call_id}.{moment}.".encode() + body, hashlib.sha256).digest()).decode()

    def _odd(self, said: dict[str, Any]) -> str:
        """What is wrong with a reply; empty: nothing."""
        if said.get("type") != "reply" or set(said) != FIELDS:
            return "no reply: " + ", ".join(sorted(set(said) ^ FIELDS))
        if not isinstance(said["to"], dict) or said["to"].get("id") not in self.PEOPLE:
            return "no such person"
        if not isinstance(said["text"], str) or not isinstance(said["id"], str):
            return "text and id are text"
        files = said["attachments"]
        if not all(set(one) == {"filename", "content_type", "url"} for one in files):
            return "a file has a name, a type and a url"
        return "" if said["text"] or files else "it says nothing"


def _moment() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
