"""Twilio as it answers and calls: forms both ways, strict about numbers, with status callbacks and opt-outs."""

import base64
import hashlib
import hmac
import re
import uuid
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from channels_app.simulators.base import Line, Provider, Request, Response

OPT = {"STOP": "STOP", "STOPALL": "STOP", "UNSUBSCRIBE": "STOP", "START": "START", "UNSTOP": "START", "HELP": "HELP"}
FORM = "application/x-www-form-urlencoded"


class Twilio(Provider):
    """One number of one account. `opted_out` holds who said STOP; `failing` says with which code a number's fail."""

    kind: ClassVar[str] = "sms"
    PEOPLE: ClassVar[dict[str, str]] = {
        "+84912000101": "Đỗ Minh Tuấn",
        "+84912000102": "Võ Thị Kim",
        "+12025550143": "Grace Hill",
    }
    CONFIG: ClassVar[dict[str, str]] = {"account_sid": "AC" + "5d" * 16, "number": "+12025550100"}
    SECRETS: ClassVar[dict[str, str]] = {"auth_token": "9b1c7e5a3d2f4860a1b2c3d4e5f60718"}

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.opted_out: set[str] = set()
        self.failing: dict[str, int] = {}
        self.advanced = True  # Advanced Opt-Out is on: keywords come with OptOutType

    def on(self, request: Request) -> Response:
        sid, token = self.account["account_sid"], self.account["auth_token"]
        wanted = "Basic " + base64.b64encode(f"{sid}:{token}".encode()).decode()
        if request.headers.get("authorization") != wanted:
            return _no(401, 20003, "Authenticate")
        at = f"/2010-04-01/Accounts/{sid}"
        if (request.method, request.path) == ("GET", f"{at}.json"):
            return Response({"sid": sid, "friendly_name": "Hoa Lư Store", "status": "active", "type": "Full"})
        if (request.method, request.path) == ("POST", f"{at}/Messages.json"):
            return self._message(request.form)
        return _no(404, 20404, "The requested resource was not found")

    def signed(self, body: bytes, url: str = "") -> dict[str, str]:
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        words = (url or self.hook_url) + "".join(name + fields[name] for name in sorted(fields))
        mac = hmac.new(self.account["auth_token"].encode(), words.encode(), hashlib.sha1)
        return {"X-Twilio-Signature": base64.b64encode(mac.digest()).decode(), "Content-Type": FORM}

    def push(self, payload: Any, *, times: int = 1, signed: dict[str, str] | None = None) -> int:
        return super().push(_form(payload), times=times, signed=signed)

    def new_id(self) -> str:
        return "SM" + uuid.uuid4().hex

    def event(self, person: str, text: str, *, id: str = "", file: tuple[str, str, bytes] | None = None) -> Any:
        made = id or self.new_id()
        said = {
            "ToCountry": "US",
            "SmsMessageSid": made,
            "NumMedia": "0",
            "SmsSid": made,
            "SmsStatus": "received",
            "Body": text,
            "To": self.CONFIG["number"],
            "MessagingServiceSid": "",
            "NumSegments": "1",
            "MessageSid": made,
            "AccountSid": self.CONFIG["account_sid"],
            "From": person,
            "ApiVersion": "2010-04-01",
        }
        if file:
            name, content_type, content = file
            url = self.base_url + self.keep(name, content_type, content)
            said |= {"NumMedia": "1", "MediaUrl0": url, "MediaContentType0": content_type}
        word = OPT.get(text.strip().upper(), "")
        if word == "STOP":
            self.opted_out.add(person)
        elif word == "START":
            self.opted_out.discard(person)
        if word and self.advanced:
            said["OptOutType"] = word
        return said

    def odd(self, person: str) -> Any:
        made = self.new_id()
        return {"MessageSid": made, "From": person, "To": self.CONFIG["number"], "EventType": "onHologramReceived"}

    def envelope(self, events: list[Any]) -> Any:
        return events[0]

    def status(self, line: Line, state: str, *, code: int = 0) -> int:
        """Tell what became of an SMS at the address that came with it; the answer's status."""
        fields = {
            "SmsSid": line.id,
            "SmsStatus": state,
            "MessageStatus": state,
            "To": line.person,
            "From": self.CONFIG["number"],
            "MessageSid": line.id,
            "AccountSid": self.CONFIG["account_sid"],
            "ApiVersion": "2010-04-01",
        }
        if code:
            fields["ErrorCode"] = str(code)
        line.state = state
        body, url = urlencode(fields).encode(), line.extra["callback"]
        answered, _said = self.transport(url, body, self.signed(body, url))
        self.pushed.append((body, answered))
        return answered

    def _message(self, form: dict[str, str]) -> Response:
        to, body = form.get("To", ""), form.get("Body", "")
        if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
            return _no(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if form.get("From") != self.CONFIG["number"]:
            return _no(400, 21606, "The From phone number is not a valid, SMS-capable inbound phone number")
        if to in self.opted_out:
            return _no(400, 21610, "Attempt to send to unsubscribed recipient")
        if not body and "MediaUrl" not in form:
            return _no(400, 21602, "Message body is required")
        if len(body.encode("utf-16-le")) // 2 > 1600:
            return _no(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if "MediaUrl" in form and not (to.startswith("+1") and form["MediaUrl"].startswith("http")):
            return _no(400, 21620, "Invalid media URL(s)")
        line = Line(id=self.new_id(), person=to, direction="out", text=body, state="queued")
        line.extra = {"callback": form.get("StatusCallback", "")}
        if "MediaUrl" in form:
            line.files = [{"name": "picture", "type": "image", "url": form["MediaUrl"]}]
        with self.lock:
            self.lines.append(line)
        if self.hook_url and line.extra["callback"]:
            code = self.failing.get(to, 0)
            self.later(lambda: self.status(line, "sent"))
            self.later(lambda: self.status(line, "undelivered" if code else "delivered", code=code), 0.5)
        sent = {"sid": line.id, "status": "queued", "num_segments": "1", "error_code": None, "error_message": None}
        return Response(sent, 201)


def _form(payload: Any) -> Any:
    return urlencode(payload).encode() if isinstance(payload, dict) else payload


def _no(status: int, code: int, message: str) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Response({"code": code, "message": message, "more_info": more, "status": status}, status)
