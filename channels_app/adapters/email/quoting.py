"""The new words of a reply without its quoted history; when unsure, the whole text. Bounded on any input."""

import re

from mailparser_reply import constants
from mailparser_reply.parser import EmailMessage

from channels_app.adapters.email import charsets, markup

DELIMITER = "##- Please type your reply above this line -##"
MAX_CHARS = 60_000
LONG_RULE = re.compile(r"([-_=*])\1{59}\1+")
MANY_BLANKS = re.compile(r"[ \t]{8,}")
MANY_LINES = re.compile(r"\n{4,}")
DELIMITER_LINE = re.compile(r"^[>\s]{0,10}##-.{3,120}-##[ ]*$", re.MULTILINE)
SIGNATURE = re.compile(r"\n--[ ]?(?:\n|\Z)")
SENT_FROM = re.compile(
    r"(?:^|\n)[ ]*(?:Sent from (?:my |Outlook|Mail|Yahoo|Proton)|Get Outlook for |Được gửi từ |Tải Outlook cho |"
    r"Gửi từ (?:iPhone|iPad|Outlook|thiết bị|điện thoại|Yahoo|ứng dụng))[^\n]{0,100}\s*\Z",
    re.IGNORECASE,
)
FORWARD_SUBJECT = re.compile(r"^\s*(?:fwd?|chuyển tiếp|ct|tr)\s*:", re.IGNORECASE)
QUOTED_TAIL = re.compile(r"(?:\n[ ]?>[^\n]*)+\s*\Z")
UNDERLINE = re.compile(r"\n[ ]?[_-]{20,}[ ]*\s*\Z")

_Q = constants.QUOTED_MATCH_INCLUDE
_VI_FIELDS = "Từ|Người gửi|Đã gửi|Gửi|Ngày gửi|Ngày|Đến|Tới|Người nhận|Chủ đề|Tiêu đề|Cc|CC"
_UP_TO_THREE_LINES = r"\s[^\n]{1,250}(?:\n[^\n]{1,250}){0,2}?\s"
# The package knows no Vietnamese, and its English line of attribution is cubic in a line of "On On On ...".
constants.MAIL_LANGUAGES["vi"] = {
    "wrote_header": rf"^({_Q}[ ]{{0,8}}(?:Vào|Ngày|Lúc){_UP_TO_THREE_LINES}(?:đã )?viết:)[ ]*$",
    "from_header": rf"((?:(?:^|\n|\n{_Q})[* ]*(?:{_VI_FIELDS})[ ]?:[ *]*(?:\s{{,2}}).*){{2,}}(?:\n.*){{,1}})",
    "disclaimers": [],
    "signatures": [],
    "sent_from": "Gửi từ iPhone",
}
constants.MAIL_LANGUAGES["en"]["wrote_header"] = rf"^({_Q}[ ]{{0,8}}On{_UP_TO_THREE_LINES}?wrote:)[ ]*$"
HEADER = EmailMessage(text="", languages=["vi"]).HEADER_REGEX


def strip(text: str, *, html: str = "", subject: str = "") -> str:
    """What the writer added: no quoted history, no signature. Never empty unless `text` is.

    `html` is the same mail as HTML; asked only where the plain text shows no seam that we know.
    """
    if not text.strip():
        return ""
    tame = _tamed(text)
    if markup.FORWARDED.search(tame) or FORWARD_SUBJECT.match(subject):
        return text.strip()
    new, found = _cut(tame)
    if not found and html and markup.has_quote(html):
        new = _cut(_tamed(markup.to_text(html, without_quotes=True)))[0] or new
    elif not found and len(text) > MAX_CHARS:
        return text.strip()  # no seam where we looked: all of it is new
    return new or text.strip()


def _tamed(text: str) -> str:
    """The beginning of the text as the patterns can bear it: the seam of a reply is never far down."""
    text = "\n".join(line.rstrip() for line in charsets.clean(text[:MAX_CHARS]).replace("\xa0", " ").split("\n"))
    return MANY_LINES.sub("\n\n\n", MANY_BLANKS.sub("    ", LONG_RULE.sub(lambda found: found[1] * 60, text)))


def _cut(text: str) -> tuple[str, bool]:
    """The part above the first seam, and whether there was one we know; the whole when nothing would be left."""
    whole = text.strip()
    if all(line.startswith(">") for line in whole.split("\n") if line.strip()):
        return whole, True
    delimiter = DELIMITER_LINE.search(text)
    seam = next((one.start() for one in HEADER.finditer(text) if text[: one.start()].strip(" >\n")), None)
    if delimiter and (seam is None or delimiter.start() < seam):
        text = _without_attribution(text[: delimiter.start()])
    elif seam is not None:
        text = text[:seam]
    above = QUOTED_TAIL.sub("", text)
    if above != text and above.strip():
        text = _without_attribution(above)
    text = _without_signature(UNDERLINE.sub("", text).strip("\n"))
    return text.strip() or whole, bool(delimiter or seam is not None)


def _without_attribution(text: str) -> str:
    """Drop a last paragraph that introduces a quote in whatever language: a date or an address, then a colon."""
    head, _, last = text.rstrip("\n >").rpartition("\n\n")
    introduces = last.endswith(":") and len(last) < 400 and last.count("\n") < 3
    return head if introduces and head.strip() and re.search(r"\d|@", last) else text


def _without_signature(text: str) -> str:
    if found := SIGNATURE.search(text):
        text = text[: found.start()]
    return SENT_FROM.sub("", text)
