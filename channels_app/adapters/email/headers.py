"""Header fields of hostile mail: unfolding, encoded words, addresses, parameters, ids. Linear in the input."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from channels_app.adapters.email import charsets

MAX_VALUE = 65_536  # bytes of one field that are looked at
MAX_ID = 250
MAX_ADDRESSES = 500
FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,200})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)")
WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
SPACE = re.compile(r"[\s\u0085\u2028\u2029]+")
UNSAFE = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")  # turn text around on the screen
MESSAGE_ID = re.compile(r"<([^<>]+)>")
PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)')
PIECE = re.compile(r'=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=|"((?:[^"\\]|\\.)*)"?|\(|<([^<>]*)>?|([,;:])|[^"(<,;:]+')
PLAIN_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[^\s@<>()\[\],;:\"]{1,253}")


@dataclass(slots=True)
class Headers:
    """The fields of one part in their order, names in lower case, values as bytes."""

    fields: list[tuple[str, bytes]] = field(default_factory=list)

    def raw(self, name: str) -> str:
        """The first field of that name, unfolded, encoded words left alone; empty when absent."""
        for key, value in self.fields:
            if key == name:
                return unfold(value)
        return ""

    def every(self, name: str) -> list[str]:
        """All fields of that name, top-most first."""
        return [unfold(value) for key, value in self.fields if key == name]

    def text(self, name: str) -> str:
        """The first field of that name for people to read: decoded, on one line."""
        return readable(self.raw(name))

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.fields)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address of a field; `value` is normalized and always has an @."""

    value: str
    name: str = ""


def read(block: bytes, *, limit: int = 2000) -> tuple[Headers, int]:
    """The fields of a header block and how far they reach; stops at the first line that is none."""
    found: list[tuple[str, bytes]] = []
    at = 0
    if block.startswith((b"From ", b">From ")):
        at = block.find(b"\n") + 1
    while len(found) < limit and (match := FIELD.match(block, at)):
        found.append((match[1].decode("ascii").lower(), match[2][:MAX_VALUE]))
        at = match.end()
    return Headers(found), at


def unfold(value: bytes) -> str:
    """One line of text; raw 8-bit bytes are decoded as bodies without a charset are."""
    text = charsets.decode(value) if not value.isascii() else charsets.clean(value.decode("ascii"))
    return text.replace("\n", "").strip()


def readable(value: str) -> str:
    """Encoded words decoded, white space on one line, nothing that turns text around."""
    if "=?" in value:
        value = decode_words(value)
    return SPACE.sub(" ", UNSAFE.sub("", value)).strip()


def decode_words(value: str) -> str:
    """RFC 2047, and what senders make of it: letters cut between two words, blanks inside, quotes around."""
    out: list[str] = []
    pending, charset, at = b"", "", 0
    for match in WORD.finditer(value):
        gap = value[at : match.start()]
        data = _word_bytes(match[2], match[3])
        said = match[1].partition("*")[0].lower()
        if pending and not gap.strip() and said == charset:
            pending += data
        else:
            if pending:
                out.append(charsets.decode(pending, charset))
            if gap.strip() or not at:
                out.append(gap)
            pending, charset = data, said
        at = match.end()
    if pending:
        out.append(charsets.decode(pending, charset))
    out.append(value[at:])
    return charsets.clean("".join(out))


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)
    return unbase64(raw)


def unbase64(data: bytes) -> bytes:
    """Base64 with whatever is wrong with it: foreign characters, no padding, a letter too many."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """The value proper in lower case and its parameters (RFC 2231 put together, RFC 2047 tolerated)."""
    main, _, _ = value.partition(";")
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, match in enumerate(PARAMETER.finditer(value)):
        if count > 200:
            break
        name, text = match[1].lower(), match[2].strip()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text.strip('"'))
        base, star, rest = name.partition("*")
        if not star:
            plain.setdefault(base, text)
            continue
        number, encoded = rest.rstrip("*"), name.endswith("*")
        pieces.setdefault(base, {}).setdefault(
            int(number) if number.isdecimal() and len(number) < 4 else 0, (text, encoded)
        )
    for base, numbered in pieces.items():
        plain[base] = _joined(numbered)
    return main.strip().lower(), {name: readable(text) for name, text in plain.items()}


def _joined(numbered: dict[int, tuple[str, bool]]) -> str:
    charset, data = "utf-8", b""
    for number, (text, encoded) in sorted(numbered.items()):
        if encoded:
            if number == 0 and text.count("'") >= 2:
                charset, _, text = text.split("'", 2)
            data += unquote_to_bytes(text)
        else:
            data += text.encode("utf-8", "replace")
    return charsets.decode(data, charset or "utf-8")


def message_ids(value: str) -> list[str]:
    """Every id of the field without brackets, in order; an over-long one becomes its hash, the same everywhere."""
    found = MESSAGE_ID.findall(value) or ([value] if value.strip("<> \t") and len(value.split()) == 1 else [])
    ids = (SPACE.sub("", text) for text in found)
    return [
        text if len(text) <= MAX_ID else "long:" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        for text in ids
        if text
    ]


def normalize(address: str) -> str:
    """The address as everybody's key: lower case, domain in ASCII; empty when it is none."""
    local, at, domain = address.strip().strip("<>").rpartition("@")
    local, domain = local.strip().strip('"').lower(), domain.strip().rstrip(".").lower()
    if not (local and at and domain) or len(local) > 64 or len(domain) > 253 or SPACE.search(local + domain):
        return ""
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    return f"{local}@{domain}"


def addresses(value: str) -> list[Mailbox]:
    """Mailboxes of an address field: groups opened, comments dropped, names decoded, nonsense left out."""
    found: list[Mailbox] = []
    name, angle, at = "", "", 0
    while at < len(value) and len(found) < MAX_ADDRESSES:
        match = PIECE.match(value, at)
        if match is None:
            break
        at = match.end()
        token = match[0]
        if token == "(":
            at, comment = _comment(value, at)
            name = name if name.strip() or "@" in name else name + ""
            if comment and "@" in name:
                angle, name = angle or name, comment  # the old form: address (Name)
        elif match[2] is not None:
            angle = match[2]
        elif match[1] is not None:
            name += re.sub(r"\\(.)", r"\1", match[1])
            if value[at : at + 1] == "@":  # a quoted local part
                name = match[0]
        elif match[3]:
            if match[3] == ":":
                name, angle = "", ""
                continue
            _add(found, name, angle)
            name, angle = "", ""
        else:
            name += token
    _add(found, name, angle)
    return found


def _comment(value: str, at: int) -> tuple[int, str]:
    """Where the comment that began before `at` ends, and what it says."""
    depth, start = 1, at
    for match in re.finditer(r"\\.|[()]", value[at : at + 2000]):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return at + match.end(), value[start : at + match.start()]
    return at, ""


def _add(found: list[Mailbox], name: str, angle: str) -> None:
    box = normalize(angle.rpartition(",")[2] if angle.startswith("@") else angle) if angle else ""
    if angle and not box and (plain := PLAIN_ADDRESS.search(angle)):
        box = normalize(plain[0])
    if not angle and (plain := PLAIN_ADDRESS.search(name)):
        box, name = normalize(plain[0]), name.replace(plain[0], "")
    if box:
        found.append(Mailbox(box, readable(name).strip("\"' ")[:200]))
