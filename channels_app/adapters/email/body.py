"""What a mail says and what hangs on it: texts and HTML in reading order, files, images the HTML refers to."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from channels_app.adapters.email import charsets, headers, markup
from channels_app.adapters.email.mime import Part
from channels_app.contracts import File

MAX_TEXT = 200_000  # characters shown; a longer text is a file as well
MAX_HTML = 1_000_000
MAX_BYTES = 4 * MAX_HTML  # of one text that are looked at
SHOWN_TYPES = {"text/plain", "text/html", "text/enriched", "text/richtext"}
CID = re.compile(r"cid:([^\s\"'<>)]{1,300})", re.IGNORECASE)
NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
EXTENSIONS = {"text/calendar": ".ics", "message/rfc822": ".eml", "application/ms-tnef": ".dat", "image/jpeg": ".jpg",
              "text/plain": ".txt", "text/html": ".html", "message/delivery-status": ".txt",
              "text/rfc822-headers": ".txt", "application/pkcs7-signature": ".p7s"}  # fmt: skip


@dataclass(slots=True)
class Body:
    """The readable part of a mail, in the order of its parts."""

    segments: list[tuple[str, str]] = field(default_factory=list)  # (plain, html), either may be empty
    files: list[File] = field(default_factory=list)

    @property
    def html(self) -> str:
        """One HTML text with plain stretches between HTML ones as <pre>; empty when there is no HTML at all."""
        if not any(html for _, html in self.segments):
            return ""
        return "\n".join(html or markup.from_text(plain) for plain, html in self.segments)

    @property
    def text(self) -> str:
        """The plain text; where a stretch has only HTML, that is turned into text."""
        said = (plain if plain.strip() else markup.to_text(html) for plain, html in self.segments)
        return "\n\n".join(text.strip("\n") for text in said if text.strip())[:MAX_TEXT]

    @property
    def digest(self) -> str:
        """Hash of texts and files, the same however the mail was encoded on its way."""
        found = hashlib.sha256()
        for plain, html in self.segments:
            found.update(" ".join((plain or html).split()).encode("utf-8", "replace") + b"\0")
        for file in self.files:
            found.update(hashlib.sha256(file.content).digest())
        return found.hexdigest()


def read(root: Part) -> Body:
    """Body and files of a divided mail."""
    body = Body()
    _collect(root, body, [0])
    wanted = {unquote(cid).strip("<>") for _, html in body.segments for cid in CID.findall(html)}
    body.files = [
        file if not file.content_id or file.content_id in wanted else replace(file, content_id="")
        for file in body.files
    ]
    return body


def _collect(part: Part, body: Body, count: list[int]) -> None:
    """Add a part and all below it."""
    count[0] += 1
    if part.content_type == "multipart/alternative":
        _alternative(part, body, count)
    elif part.parts:
        for child in part.parts:
            _collect(child, body, count)
    elif _is_shown(part):
        _show(part, body, count[0])
    elif part.content_type != "text/x-amp-html":
        body.files.append(_file(part, count[0]))


def _alternative(part: Part, body: Body, count: list[int]) -> None:
    """Several forms of one text: plain and HTML belong together, the rest are files."""
    plain: list[str] = []
    html: list[str] = []
    for child in part.parts:
        inner = Body()
        _collect(child, inner, count)
        body.files += inner.files
        plain += [text for text, _ in inner.segments if text]
        html += [text for _, text in inner.segments if text]
    if plain or html:
        # Two plain forms of one text are a fault of the sender; two stretches of one form are not ours to tell apart.
        body.segments.append(("\n\n".join(dict.fromkeys(plain)), "\n".join(dict.fromkeys(html))))


def _is_shown(part: Part) -> bool:
    named = bool(part.filename) and part.disposition != "inline"
    return part.content_type in SHOWN_TYPES and part.disposition != "attachment" and not named


def _show(part: Part, body: Body, number: int) -> None:
    data = part.content()
    text = charsets.decode(data[:MAX_BYTES], part.params.get("charset", ""))
    if part.content_type != "text/plain":
        if len(text) > MAX_HTML or not markup.is_tame(text):
            body.files.append(_file(part, number))
            body.segments.append((markup.strip_tags(text[:MAX_HTML])[:MAX_TEXT], ""))
        else:
            body.segments.append(("", text))
        return
    if "flowed" in part.params.get("format", "").lower():
        text = unflow(text, delsp=part.params.get("delsp", "").lower() == "yes")
    if len(text) > MAX_TEXT:
        body.files.append(_file(part, number))
        text = text[:MAX_TEXT]
    if text.strip():
        body.segments.append((text, ""))


def unflow(text: str, *, delsp: bool = False) -> str:
    """Lines that were only wrapped for the road put together again (RFC 3676), quotes kept apart."""
    out: list[str] = []
    joined: list[str] = []
    depth = 0
    for line in text.split("\n"):
        quotes = len(line) - len(line.lstrip(">"))
        content = line[quotes:].removeprefix(" ")
        if joined and (quotes != depth or content == "-- "):
            out.append(_quoted(depth, "".join(joined)))
            joined = []
        depth = quotes
        if content.endswith(" ") and content != "-- ":
            joined.append(content[:-1] if delsp else content)
            continue
        out.append(_quoted(depth, "".join(joined) + content))
        joined = []
    if joined:
        out.append(_quoted(depth, "".join(joined)))
    return "\n".join(out)


def _quoted(depth: int, line: str) -> str:
    return f"{'>' * depth} {line}" if depth else line


def _file(part: Part, number: int) -> File:
    return File(
        filename=filename(part, number),
        content_type=part.content_type[:120],
        content=part.content(),
        content_id=headers.readable(part.content_id)[:255],
    )


def filename(part: Part, number: int) -> str:
    """A name one can save: what the sender said without folders and control characters, else one by its type."""
    name = NOT_IN_A_NAME.sub("_", headers.readable(part.filename.replace("\\", "/").rpartition("/")[2])).strip(" ._")
    if not name:
        ending = EXTENSIONS.get(part.content_type) or mimetypes.guess_extension(part.content_type) or ".bin"
        return f"part-{number}{ending}"
    stem, dot, ending = name.rpartition(".")
    if len(name) > 200:
        name = f"{stem[:180]}{dot}{ending[:15]}" if stem else name[:200]
    return name
