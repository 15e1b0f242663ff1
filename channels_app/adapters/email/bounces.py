"""What became of our mail: delivery reports, read receipts, complaints; trusted only if they name a mail of ours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from channels_app import reply_tokens as tokens
from channels_app.adapters.email import body, charsets, headers, machine, mime
from channels_app.adapters.email.headers import Headers
from channels_app.adapters.email.mime import Part
from channels_app.contracts import Receipt

RETURNED = {
    "message/rfc822",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global",
    "message/global-headers",
}
QUOTED_ID = re.compile(r"^[>\s]*(?:X-)?Message-I[dD]:\s*(<[^<>\s]{3,250}>)", re.MULTILINE)
SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|incomplete|delayed)|failure notice|returned mail|mail delivery|"
    r"could not be delivered|không gửi được|không thể gửi|thư bị trả lại|gửi thất bại|chưa được gửi",
    re.IGNORECASE,
)
DELAYED = re.compile(
    r"delay|will (?:keep trying|be retried|retry)|not been delivered yet|warning:|incomplete|chậm trễ|sẽ thử lại",
    re.IGNORECASE,
)
ANSWER = re.compile(r"^.{0,200}?\b(?:5\d\d[ -]|#?5\.\d{1,3}\.\d{1,3}\b).{0,300}$", re.MULTILINE)
RECIPIENT = re.compile(r"<?([^\s<>@:;,]{1,64}@[^\s<>@:;,()]{1,253})>?")


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says. `reference` is empty when it names nothing of ours; `receipts` may be empty for a delay."""

    kind: str  # bounce, read, complaint
    reference: str
    receipts: tuple[Receipt, ...] = ()


def read(root: Part, *, sender: str, subject: str, null_envelope: bool, own: frozenset[str],
         recipients: tuple[str, ...], at: datetime) -> Report | None:  # fmt: skip
    """The report that a mail is, or None for an ordinary mail."""
    kind = root.params.get("report-type", "").lower() if root.content_type == "multipart/report" else ""
    status = [
        part
        for part in root.walk()
        if part.content_type in ("message/delivery-status", "message/global-delivery-status")
    ]
    if kind == "feedback-report":
        return Report("complaint", _reference(root, own, ()))
    if kind == "disposition-notification":
        return _read_receipt(root, own, at)
    if status:
        return _delivery_status(root, status[0], own, recipients, at)
    is_daemon = bool(machine.DAEMON.match(sender)) or null_envelope
    if is_daemon and SUBJECT.search(subject):
        return _plain(root, subject, own, recipients, at)
    return None


def _delivery_status(
    root: Part, status: Part, own: frozenset[str], recipients: tuple[str, ...], at: datetime
) -> Report:
    """RFC 3464: one group of fields per recipient after the one about the report."""
    reference = _reference(root, own, recipients)
    receipts = []
    for group in _groups(status):
        action, code = group.raw("action").lower(), group.raw("status")
        if not action and not code:
            continue
        state = _state(action, code)
        if not state or not reference:
            continue
        address = group.raw("original-recipient") or group.raw("final-recipient")
        said = charsets.clean(group.text("diagnostic-code").partition(";")[2].strip() or group.text("diagnostic-code"))
        receipts.append(
            Receipt(
                reference=reference,
                state=state,
                reason=" ".join(part for part in (code[:12], said[:400]) if part) or action,
                recipient=headers.normalize(address.partition(";")[2].strip() or address),
                occurred_at=at,
            )
        )
    return Report("bounce", reference, tuple(receipts[:50]))


def _state(action: str, code: str) -> str:
    if action == "delayed" or (not action and code.startswith("4")):
        return ""
    if action == "failed" or code.startswith("5"):
        return "failed"
    return "delivered" if action in ("delivered", "relayed", "expanded") else ""


def _groups(status: Part) -> Iterator[Headers]:
    data = status.content().replace(b"\r\n", b"\n")
    for block in data[:200_000].split(b"\n\n")[:100]:
        if block.strip():
            yield headers.read(block.lstrip(b"\n"))[0]


def _read_receipt(root: Part, own: frozenset[str], at: datetime) -> Report:
    for part in root.walk():
        if part.content_type == "message/disposition-notification":
            for group in _groups(part):
                ids = [
                    name
                    for name in headers.message_ids(group.raw("original-message-id"))
                    if machine.is_own_id(name, own)
                ]
                shown = "displayed" in group.raw("disposition").lower()
                if ids:
                    receipt = Receipt(reference=ids[0], state="read", occurred_at=at)
                    return Report("read", ids[0], (receipt,) if shown else ())
    return Report("read", "")


def _plain(root: Part, subject: str, own: frozenset[str], recipients: tuple[str, ...], at: datetime) -> Report:
    """A report in words only (qmail, old Exchange, some gateways): best effort."""
    text = body.read(root).text[:100_000]
    reference = _reference(root, own, recipients) or _quoted(text, own)
    if not reference or (DELAYED.search(subject) and not re.search(r"fail|không", subject, re.IGNORECASE)):
        return Report("bounce", reference)
    answer = ANSWER.search(text)
    said = answer[0].strip() if answer else next((line.strip() for line in text.split("\n") if line.strip()), subject)
    others = (match[1].lower().rstrip(".") for match in RECIPIENT.finditer(text[:5_000]))
    lost = next(
        (
            name
            for name in others
            if name not in own and not machine.OUR_ID.match(name) and not machine.DAEMON.match(name)
        ),
        "",
    )
    receipt = Receipt(
        reference=reference, state="failed", reason=said[:400], recipient=headers.normalize(lost), occurred_at=at
    )
    return Report("bounce", reference, (receipt,))


def _reference(root: Part, own: frozenset[str], recipients: tuple[str, ...]) -> str:
    """The Message-ID of ours in the returned headers, else the reply token the report was sent to."""
    for part in root.walk():
        if part.content_type in RETURNED:
            tree = mime.read(part.content()[:500_000])
            for name in headers.message_ids(tree.root.headers.raw("message-id")):
                if machine.is_own_id(name, own) or _from_us(tree.root.headers, own):
                    return name
            # Some gateways return the headers as a text with something before them.
            if found := _quoted(charsets.decode(part.content()[:100_000]), own):
                return found
    for address in recipients:
        if token := tokens.find(address):
            return f"token:{token}"
    return ""


def _quoted(text: str, own: frozenset[str]) -> str:
    for value in QUOTED_ID.findall(text)[:20]:
        for name in headers.message_ids(value):
            if machine.is_own_id(name, own):
                return name
    return ""


def _from_us(head: Headers, own: frozenset[str]) -> bool:
    return any(box.value in own for box in headers.addresses(head.raw("from")))
