"""Who really wrote a mail: DMARC as our own receiver saw it, Reply-To, mailing lists and contact forms."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from channels_app.adapters.email import headers
from channels_app.adapters.email.headers import Headers, Mailbox

VIA = re.compile(r"^(.{1,150}?)\s+(?:via|qua|thông qua)\s+\S.*$", re.IGNORECASE)
COMMENT = re.compile(r"\([^()]{0,500}\)")
RESULT = re.compile(r"^\s*([a-z0-9-]{1,30})\s*=\s*([a-z]{1,20})\b", re.IGNORECASE)
PROPERTY = re.compile(r"\b([a-z]{1,20}\.[a-z-]{1,30})\s*=\s*\"?([^\s;\"]{1,300})", re.IGNORECASE)
NO_SERVER_NAME = "-"  # what a channel lists to accept results without an authserv-id (Microsoft 365)


@dataclass(frozen=True, slots=True)
class Author:
    """The person to answer: `also` holds further addresses of theirs, `proved` the address that DMARC vouches for."""

    value: str
    name: str
    proved: str
    also: tuple[Mailbox, ...] = ()

    @property
    def verified(self) -> bool:
        return bool(self.proved) and self.proved == self.value


def author(head: Headers, *, config: Mapping[str, object], own: frozenset[str], peer: str, envelope: str) -> Author:
    """The author of a mail: From, unless Reply-To or a list says better; never empty."""
    written = headers.addresses(head.raw("from"))
    replies = [box for box in headers.addresses(head.raw("reply-to")) if box.value not in own]
    one_author = len(written) == 1 and len(head.every("from")) == 1
    sender = written[0] if written else _without_from(head, envelope)
    proved = sender.value if one_author and passes_dmarc(head, sender.value, config=config, peer=peer) else ""
    through = VIA.match(sender.name)
    if sender.value in own or (through and "list-id" in head):
        original = _original(head, own) or (replies[0] if replies else None)
        if original:
            name = original.name or (through[1].strip("\"' ") if through else "")
            return Author(original.value, name, "", (sender,) if sender.value not in own else ())
    if not replies or any(box.value == sender.value for box in replies):
        return Author(sender.value, sender.name, proved)
    reply = replies[0]
    if proved or domain(reply.value) == domain(sender.value):
        return Author(reply.value, reply.name or sender.name, proved, (sender,))
    return Author(sender.value, sender.name, proved, (reply,))


def _without_from(head: Headers, envelope: str) -> Mailbox:
    for name in ("sender", "x-original-from", "reply-to", "return-path"):
        if found := headers.addresses(head.raw(name)):
            return found[0]
    name = head.text("from")[:200]
    return Mailbox(headers.normalize(envelope), name)


def _original(head: Headers, own: frozenset[str]) -> Mailbox | None:
    """Whom a list put its own address in front of."""
    for name in ("x-original-from", "x-original-sender"):
        for box in headers.addresses(head.raw(name)):
            if box.value not in own:
                return box
    return None


def domain(address: str) -> str:
    return address.rpartition("@")[2]


def passes_dmarc(head: Headers, sender: str, *, config: Mapping[str, object], peer: str) -> bool:
    """Whether our own receiver wrote `dmarc=pass` for the sender's domain, on grounds that cannot be stretched."""
    listed = config.get("authserv_id") or ()
    names = {str(name).lower() for name in ([listed] if isinstance(listed, str) else listed)}  # type: ignore[attr-defined]
    if not names or not is_relay(peer, config):
        return False
    results = next((found for value in head.every("authentication-results") if (found := _results(value, names))), [])
    passed = [values for method, verdict, values in results if method == "dmarc" and verdict == "pass"]
    if not passed or any(method == "dmarc" and verdict != "pass" for method, verdict, _ in results):
        return False
    if any(values.get("header.from", domain(sender)) != domain(sender) for values in passed):
        return False
    if not _partly_signed(head):
        return True
    # A signature over only the beginning (l=) lets anybody write on: then SPF has to carry it alone.
    return any(
        method == "spf" and verdict == "pass" and _aligned(values.get("smtp.mailfrom", ""), sender)
        for method, verdict, values in results
    )


def is_relay(peer: str, config: Mapping[str, object]) -> bool:
    """Whether the machine that handed the mail over may speak for our receiver: near by default, else as listed."""
    if not peer:
        return True  # fetched from our mailbox, or piped in by our own MTA
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer.startswith("/") or peer == "local"
    listed = config.get("trusted_relays")
    if not isinstance(listed, list | tuple):
        return address.is_loopback or address.is_private
    for entry in listed:
        try:
            if address in ipaddress.ip_network(str(entry), strict=False):
                return True
        except ValueError:
            continue
    return False


def _results(value: str, names: set[str]) -> list[tuple[str, str, dict[str, str]]]:
    """(method, verdict, properties) of a header whose authserv-id is one of ours, else nothing."""
    for _ in range(3):
        value = COMMENT.sub(" ", value)
    first, _, rest = value.partition(";")
    server = first.split()[0].lower() if first.split() else ""
    if RESULT.match(first):
        server, rest = NO_SERVER_NAME, value
    if server not in names:
        return []
    out = []
    for piece in rest.split(";")[:50]:
        if match := RESULT.match(piece):
            values = {key.lower(): found.lower().strip("<>") for key, found in PROPERTY.findall(piece)}
            out.append((match[1].lower(), match[2].lower(), values))
    return out or [("none", "none", {})]


def _partly_signed(head: Headers) -> bool:
    return any(re.search(r"(?:^|;)\s*l\s*=\s*\d", value) for value in head.every("dkim-signature"))


def _aligned(envelope: str, sender: str) -> bool:
    ours, theirs = domain(sender), domain(envelope) or envelope
    return bool(theirs) and (theirs == ours or theirs.endswith("." + ours) or ours.endswith("." + theirs))
