"""A raw mail becomes one message or the receipts it carries. Pure; any bytes whatsoever come through."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from channels_app import reply_tokens as tokens
from channels_app.adapters.email import body as bodies
from channels_app.adapters.email import bounces, charsets, headers, machine, mime, quoting, trust
from channels_app.adapters.email.body import Body
from channels_app.adapters.email.headers import Headers
from channels_app.contracts import Address, Arrival, File, InboundItem, NewMessage

MAX_REFERENCES = 50
SENT_TO = (
    "to",
    "cc",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-forwarded-to",
    "x-delivered-to",
    "resent-to",
)
NOBODY = "sender.invalid"


def parse(arrival: Arrival) -> tuple[InboundItem, ...]:
    """The message of a mail, or what it reports about ours; never raises, whatever the bytes are.

    A mail that cannot be read becomes a message with the reason in `unparsed` and the raw mail as message.eml.
    """
    try:
        return _parse(arrival)
    except Exception as error:  # a mail nobody foresaw must still become visible
        return (_stub(arrival, f"{type(error).__name__}: {error}"),)


def _parse(arrival: Arrival) -> tuple[InboundItem, ...]:
    tree = mime.read(arrival.raw)
    head = tree.root.headers
    envelope = _said(arrival, "mail_from")
    null_envelope = arrival.meta.get("mail_from") in ("", "<>") or head.raw("return-path").replace(" ", "") == "<>"
    author = trust.author(
        head, config=arrival.config, own=arrival.own_addresses, peer=_said(arrival, "peer"), envelope=envelope
    )
    subject = head.text("subject")[:500]
    sent_to = tuple(_recipients(head, arrival))
    report = bounces.read(
        tree.root,
        sender=author.value,
        subject=subject,
        null_envelope=null_envelope,
        own=arrival.own_addresses,
        recipients=sent_to,
        at=when(arrival),
    )
    receipts = report.receipts if report and report.reference else ()
    if report and report.reference and report.kind in ("bounce", "read") and not report.reference.startswith("token:"):
        return receipts  # else a message as well: a report that names only a ticket must be seen there
    body = bodies.read(tree.root)
    ids = headers.message_ids(head.raw("message-id"))
    auto = machine.reason(
        head, tree.root, sender=author.value, subject=subject, null_envelope=null_envelope, own=arrival.own_addresses
    )
    message_id = ids[0] if ids else ""
    digest = body.digest
    problem = _problem(tree, arrival)
    value = author.value or f"unknown-{hashlib.sha256(arrival.raw).hexdigest()[:16]}@{NOBODY}"
    text_full, text = _texts(body, subject)
    named = [report.reference] if report and report.reference and not receipts else []
    references = named + _references(head)
    return (
        *receipts,
        NewMessage(
            external_id=message_id or "hash:" + _identity(head, digest),
            thread_key=value,
            sender=_address(value, author.name, author.proved),
            occurred_at=when(arrival),
            subject=subject,
            text=text,
            text_full=text_full,
            html=body.html,
            files=(*body.files, _raw_file(arrival)) if problem else tuple(body.files),
            references=tuple(references[:MAX_REFERENCES]),
            reply_tokens=tuple(dict.fromkeys(token for name in sent_to if (token := tokens.find(name)))),
            recipients=tuple(dict.fromkeys(_boxes(head, ("to", "cc")))),
            also_known=tuple(_address(box.value, box.name, author.proved) for box in author.also),
            auto=bool(report or auto),
            auto_reason=report.kind if report else auto,
            loop=machine.is_loop(head, message_id=message_id, sender=value, own=arrival.own_addresses),
            unparsed=problem,
            content_hash=digest,
        ),
    )


def _problem(tree: mime.Tree, arrival: Arrival) -> str:
    """Why the mail is shown with its raw form beside it; empty for one that was read whole."""
    if arrival.meta.get("unfetched"):
        return f"the mailbox would not give it to us: {_said(arrival, 'unfetched')}"
    if arrival.meta.get("truncated"):
        return "larger than 25 MB: only its beginning was fetched"
    return tree.problem or ("" if tree.root.headers.fields else "no header fields")


def _texts(body: Body, subject: str) -> tuple[str, str]:
    """The full text, and the new words in it."""
    full = body.text
    html = body.html
    new = quoting.strip(full, html=html, subject=subject)
    return full, new


def _address(value: str, name: str, proved: str) -> Address:
    verified = bool(proved) and value == proved
    return Address(kind="email", value=value, name=name, verified=verified, evidence="dmarc" if verified else "")


def when(arrival: Arrival) -> datetime:
    """When it reached our house: the mailbox's INTERNALDATE, else our acceptance; never in the future.

    The Date field is the sender's word and would let anybody jump a queue that is ordered by waiting time.
    """
    said = arrival.meta.get("internaldate")
    if isinstance(said, str):
        try:
            at = datetime.fromisoformat(said)
        except ValueError:
            return arrival.received_at
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return min(at.astimezone(UTC), arrival.received_at) if at.year > 1990 else arrival.received_at
    return arrival.received_at


def _said(arrival: Arrival, key: str) -> str:
    value = arrival.meta.get(key)
    return value if isinstance(value, str) else ""


def _boxes(head: Headers, names: Iterable[str]) -> list[str]:
    return [box.value for name in names for value in head.every(name) for box in headers.addresses(value)]


def _recipients(head: Headers, arrival: Arrival) -> list[str]:
    """Every address it was sent to, by envelope and by fields."""
    given = arrival.meta.get("rcpt_to")
    envelope = [given] if isinstance(given, str) else list(given) if isinstance(given, list | tuple) else []
    return [name for name in (headers.normalize(str(one)) for one in envelope) if name] + _boxes(head, SENT_TO)


def _references(head: Headers) -> list[str]:
    """Ids it answers, nearest first: In-Reply-To, then References from the right."""
    answered = headers.message_ids(head.raw("in-reply-to"))
    chain = [name for value in head.every("references") for name in headers.message_ids(value)]
    return list(dict.fromkeys(answered + chain[::-1]))


def _identity(head: Headers, digest: str) -> str:
    """An id for a mail that has none: the same for the same mail, whichever way it came."""
    said = "\n".join([head.raw("from"), head.raw("date"), head.raw("subject"), digest])
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


def _raw_file(arrival: Arrival) -> File:
    return File(filename="message.eml", content_type="message/rfc822", content=arrival.raw)


def _stub(arrival: Arrival, problem: str) -> NewMessage:
    """What is shown of a mail that could not be read at all."""
    digest = hashlib.sha256(arrival.raw).hexdigest()
    value = headers.normalize(_said(arrival, "mail_from")) or f"unknown-{digest[:16]}@{NOBODY}"
    return NewMessage(
        external_id=f"hash:{digest}",
        thread_key=value,
        sender=Address(kind="email", value=value),
        occurred_at=arrival.received_at,
        text=charsets.decode(arrival.raw[:2000]),
        text_full=charsets.decode(arrival.raw[:20_000]),
        files=(_raw_file(arrival),),
        unparsed=charsets.clean(problem)[:300],
        content_hash=digest,
    )
