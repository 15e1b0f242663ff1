"""WhatsApp's Cloud API, played: strict about keys and payloads, with windows, rates, receipts and two kinds of ids."""

import base64
import hashlib
import hmac
import time
from typing import Any, ClassVar

from channels_app.simulators.base import Line, Provider, Request, Response
from channels_app.simulators.whatsapp_checks import Refusal, checked, multipart
from channels_app.simulators.whatsapp_texts import TEMPLATES

WINDOW = 24 * 3600.0
PAIR = 6.0  # seconds between two messages to one customer


class WhatsApp(Provider):
    """One number of one account. People are named by their number; `hidden` ones by a user id alone."""

    kind = "whatsapp"
    PEOPLE: ClassVar[dict[str, str]] = {
        "84912345678": "Trần Thị Hồng",
        "84987654321": "Phạm Văn Đức",
        "447700900123": "Oliver Hughes",
    }
    CONFIG: ClassVar[dict[str, str]] = {
        "phone_number_id": "106540352242922",
        "waba_id": "102290129340398",
        "verify_token": "whatsapp-handshake",
    }
    SECRETS: ClassVar[dict[str, str]] = {
        "app_secret": "5c1f0a7be3d94e2b8f66a1d2c3b4e5f6",
        "access_token": "EAAWhatsAppSimulated",
    }

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        now = time.time()
        self.user_ids = {person: f"VN.{10**19 + int(person)}" for person in self.PEOPLE}
        self.hidden: set[str] = set()  # who shows a username in place of the number
        self.last_in: dict[str, float] = dict.fromkeys(self.PEOPLE, now)  # the demo's people wrote just now
        self.last_out: dict[str, float] = {}
        self.pair_rate = False  # refuse two messages within six seconds
        self.late_refusals = False  # a refusal is told by a receipt instead of by the answer
        self.stopped = 0  # the code by which the whole account may not send
        self.user_ids_on = True  # False: as before April 2026, numbers only
        self.disorder = False  # receipts come last first
        self.quiet = False  # no receipts at all
        self.delays = (0.1, 0.3, 1.5)  # seconds until sent, delivered, read
        self.media: dict[str, tuple[bytes, str, str]] = {}  # id: content, type, name
        self.templates = [dict(one) for one in TEMPLATES]
        self.unreachable: set[str] = set()  # accepted, then told undeliverable
        self.known_ids: set[str] = set()  # messages of this talk, which may be answered

    # --- our calls --------------------------------------------------------------------------------------------------
    def on(self, request: Request) -> Response:
        """Answer as the Graph API: errors in its one shape, by code."""
        try:
            return Response(self._answered(request))
        except Refusal as fault:
            error = {
                "message": f"(#{fault.code}) {fault.words}",
                "type": "OAuthException",
                "code": fault.code,
                "error_data": {"messaging_product": "whatsapp", "details": fault.words},
                "fbtrace_id": f"A{self.number()}",
            }
            return Response({"error": error}, fault.status)

    def _answered(self, request: Request) -> Any:
        if request.headers.get("authorization") != f"Bearer {self.account['access_token']}":
            raise Refusal(190, "Invalid OAuth access token", 401)
        version, _, path = request.path.strip("/").partition("/")
        if version == "download":
            return self._file(path)[0]
        if version != "v25.0":
            raise Refusal(2500, "Unknown path components")
        number, waba = self.account["phone_number_id"], self.account["waba_id"]
        match (request.method, path):
            case ("GET", target) if target == number:
                return self._standing(number)
            case ("POST", target) if target == f"{number}/messages":
                return self._sent(request)
            case ("POST", target) if target == f"{number}/media":
                return self._uploaded(request)
            case ("GET", target) if target == f"{waba}/message_templates":
                return self._templates(request)
            case ("GET", target) if target in self.media:
                content, content_type, _name = self._file(target)
                known = {"mime_type": content_type, "file_size": len(content), "messaging_product": "whatsapp"}
                digest = hashlib.sha256(content).hexdigest()
                return {"id": target, "url": f"{self.base_url}/download/{target}", "sha256": digest} | known
        raise Refusal(100, f"Object with ID '{path.split('/')[0]}' does not exist")

    def _standing(self, number: str) -> dict[str, Any]:
        """The number itself, and whether it may send."""
        part: dict[str, Any] = {"entity_type": "PHONE_NUMBER", "id": number, "can_send_message": "AVAILABLE"}
        if self.stopped:
            problem = {
                "error_code": self.stopped,
                "error_description": "Simulated",
                "possible_solution": "Put it right",
            }
            part |= {"can_send_message": "BLOCKED", "errors": [problem]}
        health = {"can_send_message": part["can_send_message"], "entities": [part]}
        name = {"verified_name": "Hoa Lư Store", "display_phone_number": "+84 28 7300 1234"}
        return {"id": number, "health_status": health} | name

    def _file(self, media: str) -> tuple[bytes, str, str]:
        if media not in self.media:
            raise Refusal(100, "Media does not exist", 404)
        return self.media[media]

    def _uploaded(self, request: Request) -> dict[str, str]:
        fields, file = multipart(request)
        if fields.get("messaging_product") != "whatsapp" or file is None:
            raise Refusal(100, "messaging_product and file are required")
        return {"id": self.keep_media(*file)}

    def keep_media(self, name: str, content_type: str, content: bytes) -> str:
        """Keep a file under an id of its own, which is good for a download."""
        media = str(10**14 + self.number())
        self.media[media] = (content, content_type, name)
        return media

    def _templates(self, request: Request) -> dict[str, Any]:
        wanted, limit = request.query.get("status"), int(request.query.get("limit", "25"))
        start = int(request.query.get("after", "0") or 0)
        found = [one for one in self.templates if not wanted or one["status"] == wanted]
        page = found[start : start + limit]
        end = start + len(page)
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(found):
            paging["next"] = f"{self.base_url}/v25.0/{self.account['waba_id']}/message_templates?after={end}"
        return {"data": page, "paging": paging}

    def _sent(self, request: Request) -> dict[str, Any]:
        payload = request.json
        if payload.get("status") == "read":
            return {"success": True}
        if self.stopped and not self.late_refusals:
            raise Refusal(self.stopped, "The account may not send", 403)
        text, choices = checked(payload, self.media, self.templates)
        to = str(payload.get("to") or payload.get("recipient"))
        group = payload["recipient_type"] == "group"
        person = to if group else self._who(to)
        quoted = payload.get("context", {}).get("message_id")
        if quoted and quoted not in self.known_ids:
            raise Refusal(100, "Invalid parameter: context.message_id")
        with self.lock:
            now = time.time()
            if self.pair_rate and now - self.last_out.get(person, 0) < PAIR:
                raise Refusal(131056, "(Business Account, Consumer Account) pair rate limit hit")
            is_closed = not group and payload["type"] != "template" and now - self.last_in.get(person, 0) > WINDOW
            if is_closed and not self.late_refusals:
                raise Refusal(131047, "Re-engagement message")
            self.last_out[person] = now
            made = self.new_id()
            self.known_ids.add(made)
            failing = self.stopped or (131026 if person in self.unreachable else 131047 if is_closed else 0)
            if not failing:
                line = Line(id=made, person=person, direction="out", text=text, choices=choices, state="sent")
                line.files = self._files(payload)
                self.lines.append(line)
        self._report(made, person, str(payload.get("biz_opaque_callback_data", "")), failing)
        contact = {"input": to, "wa_id" if "to" in payload else "user_id": to}
        return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": made}]}

    def _files(self, payload: dict[str, Any]) -> list[dict[str, str]]:
        media = payload.get(payload["type"], {}).get("id")
        if not media:
            return []
        content, content_type, name = self.media[media]
        return [{"name": name, "type": content_type, "url": self.keep(name, content_type, content)}]

    def _who(self, to: str) -> str:
        """The person behind a number or a user id. A stranger's is taken, and told undeliverable later."""
        return next((person for person, user_id in self.user_ids.items() if to in (person, user_id)), to)

    # --- receipts ---------------------------------------------------------------------------------------------------
    groups: ClassVar[tuple[str, ...]] = ("Y2FwaV9ncm91cDox",)

    def _report(self, message: str, person: str, key: str, failing: int) -> None:
        if self.quiet:
            return
        if failing or person not in (*self.PEOPLE, *self.groups):
            self.later(lambda: self.push(self.status(message, "failed", person, key, code=failing or 131026)), 0.1)
            return
        states = ["sent", "delivered", "read"]
        for state, delay in zip(states[::-1] if self.disorder else states, self.delays, strict=True):
            self.later(lambda state=state: self._tell(message, state, person, key), delay)  # type: ignore[misc]

    def _tell(self, message: str, state: str, person: str, key: str) -> None:
        for line in self.lines:
            if line.id == message and line.state != "read":
                line.state = state
        self.push(self.status(message, state, person, key))

    def status(self, message: str, state: str, person: str, key: str = "", *, code: int = 0) -> dict[str, Any]:
        """The call that tells what became of a message of ours."""
        told: dict[str, Any] = {"id": message, "status": state, "timestamp": str(int(time.time()))}
        if person not in self.hidden:
            told["recipient_id"] = person
        if self.user_ids_on and person in self.user_ids:
            told["recipient_user_id"] = self.user_ids[person]
        if key:
            told["biz_opaque_callback_data"] = key
        if code:
            details = {"details": f"Simulated failure {code}"}
            told["errors"] = [{"code": code, "title": "Failed", "message": "Failed", "error_data": details}]
        else:
            told["pricing"] = {"billable": True, "pricing_model": "PMP", "category": "service"}
        return self._call("messages", {"statuses": [told]})

    # --- what people do ---------------------------------------------------------------------------------------------
    def signed(self, body: bytes) -> dict[str, str]:
        made = hmac.new(self.account["app_secret"].encode(), body, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature-256": f"sha256={made}"}

    def new_id(self) -> str:
        return "wamid." + base64.b64encode(f"HBgL{self.number():08d}{time.time_ns()}".encode()).decode()

    def event(self, person: str, text: str, *, id: str = "", file: tuple[str, str, bytes] | None = None) -> Any:
        if file is None:
            return self.message(person, "text", {"body": text}, id=id)
        name, content_type, content = file
        kind = content_type.split("/")[0]
        kind = kind if kind in ("image", "video", "audio") else "document"
        part: dict[str, Any] = {"id": self.keep_media(name, content_type, content), "mime_type": content_type}
        part["sha256"] = base64.b64encode(hashlib.sha256(content).digest()).decode()
        part |= {"caption": text} if text else {}
        part |= {"filename": name} if kind == "document" else {}
        return self.message(person, kind, part, id=id)

    def message(self, person: str, kind: str, part: Any, *, id: str = "", **more: Any) -> dict[str, Any]:
        """One message of a person and who they are: by number, by user id, or both."""
        made = id or self.new_id()
        with self.lock:
            self.last_in[person] = time.time()
            self.known_ids.add(made)
        message: dict[str, Any] = {"id": made, "timestamp": str(int(time.time())), "type": kind, kind: part} | more
        contact: dict[str, Any] = {"profile": {"name": self.PEOPLE.get(person, "Khách")}}
        if person not in self.hidden:
            message["from"], contact["wa_id"] = person, person
        else:
            contact["profile"]["username"] = "hong.tran"
        if self.user_ids_on and person in self.user_ids:
            message["from_user_id"] = contact["user_id"] = self.user_ids[person]
        return {"contact": contact, "message": message}

    def odd(self, person: str) -> Any:
        return self.message(person, "hologram", {"id": "1"})

    def envelope(self, events: list[Any]) -> Any:
        contacts: list[dict[str, Any]] = []
        for one in events:
            if one["contact"] not in contacts:
                contacts.append(one["contact"])
        return self._call("messages", {"contacts": contacts, "messages": [one["message"] for one in events]})

    def typed_in_app(self, person: str, text: str) -> str:
        """Somebody of the shop writes from its own phone: an echo comes."""
        made = self.new_id()
        self.lines.append(Line(id=made, person=person, direction="out", text=text, state="sent"))
        own = {"from": "842873001234", "to": person, "id": made, "timestamp": str(int(time.time()))}
        own |= {"to_user_id": self.user_ids[person]} if self.user_ids_on and person in self.user_ids else {}
        echo = own | {"type": "text", "text": {"body": text}}
        self.push(self._call("smb_message_echoes", {"message_echoes": [echo]}))
        return made

    def acts(self, person: str, kind: str, part: Any, **more: Any) -> str:
        """A person does anything else: react, edit, revoke, press a button, move. Returns the event's own id."""
        made = self.message(person, kind, part, **more)
        self.push(self.envelope([made]))
        return str(made["message"]["id"])

    def _call(self, field: str, value: dict[str, Any]) -> dict[str, Any]:
        number = {"display_phone_number": "842873001234", "phone_number_id": self.account["phone_number_id"]}
        value = {"messaging_product": "whatsapp", "metadata": number} | value
        entry = {"id": self.account["waba_id"], "changes": [{"field": field, "value": value}]}
        return {"object": "whatsapp_business_account", "entry": [entry]}
