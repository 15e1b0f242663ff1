"""HTML of strangers: is it tame enough to be shown, what does it say, where does its quoted part begin."""

import html
import re

import lxml.html
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree

from channels_app.adapters.email import charsets

MAX_ELEMENTS, MAX_LAID_OUT = 8_000, 400_000  # more is read without its layout: 240,000 <p> take 4 s
MAX_DEPTH = 150  # sanitisers are quadratic in the depth: 100,000 open <div> cost half a minute
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
TAGS = re.compile(r"<[^<>]*>")
BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/blockquote)\b[^<>]*>", re.IGNORECASE)
# Never open, or closed by themselves when the next one comes.
VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "param",
    "source",
    "track",
    "wbr",
} | {*("p", "li", "td", "tr", "th", "dd", "dt", "option", "tbody", "thead", "tfoot", "colgroup")}
QUOTE_SIGN = re.compile(
    r'gmail_quote|type=["\']?cite|divRplyFwdMsg|appendonsend|yahoo_quoted|moz-cite-prefix|OLK_SRC_BODY_SECTION|'
    r"mail-editor-reference-message-container|protonmail_quote|zmail_extra",
    re.IGNORECASE,
)
_QUOTES = etree.XPath(
    "//*[contains(concat(' ', @class, ' '), ' gmail_quote ') or contains(@class, 'gmail_quote_container')"
    " or contains(@class, 'gmail_attr') or contains(@class, 'yahoo_quoted') or contains(@class, 'protonmail_quote')"
    " or contains(@class, 'moz-cite-prefix') or contains(@class, 'zmail_extra')]"
    " | //blockquote[@type='cite']"
)
_FROM_HERE = etree.XPath(
    "//*[@id='divRplyFwdMsg' or @id='appendonsend' or @id='OLK_SRC_BODY_SECTION'"
    " or @id='mail-editor-reference-message-container']"
)
_CONFIG = ParserConfig(css=CSS_PROFILES["strict"], display_links=False)
_PARSER = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
# As tables they would be laid out in columns of blanks, as wide as the sender likes.
_UNTABLED = {
    "table": "div",
    "tbody": "div",
    "thead": "div",
    "tfoot": "div",
    "tr": "div",
    "td": "span",
    "th": "span",
    "caption": "div",
}
FORWARDED = re.compile(
    r"-{5,}\s{0,3}(?:Forwarded message|Thư đã chuyển tiếp|Thư được chuyển tiếp|Chuyển tiếp)\s{0,3}-{5,}|"
    r"Begin forwarded message:|Bắt đầu thư được chuyển tiếp:",
    re.IGNORECASE,
)


def is_tame(source: str) -> bool:
    """Whether its elements are nested no deeper than a sanitiser takes in its stride.

    Over-counts rather than under-counts: an end tag counts only against an element of its own name.
    """
    still_open: dict[str, int] = {}
    depth = 0
    for match in TAG.finditer(source):
        name = match[2].lower()
        if name in VOID:
            continue
        if not match[1]:
            still_open[name] = still_open.get(name, 0) + 1
            depth += 1
        elif still_open.get(name, 0):
            still_open[name] -= 1
            depth -= 1
        if depth > MAX_DEPTH:
            return False
    return True


def to_text(source: str, *, without_quotes: bool = False) -> str:
    """What the HTML says, as text; `without_quotes` leaves out the history that mail programs mark as such."""
    if not source.strip():
        return ""
    text = ""
    if len(source) > MAX_LAID_OUT or source.count("<") > 2 * MAX_ELEMENTS:
        return strip_tags(source)
    try:
        tree = lxml.html.document_fromstring(source.encode("utf-8", "replace"), parser=_PARSER)
        if without_quotes:
            _drop_quotes(tree)
        for element in tree.iter(*_UNTABLED):
            if element.tag in ("td", "th"):
                element.tail = " " + (element.tail or "")
            element.tag = _UNTABLED[element.tag]
        text = Inscriptis(tree, _CONFIG).get_text()
    except (etree.LxmlError, ValueError, AssertionError, TypeError, IndexError, RecursionError, AttributeError):
        text = ""
    if not text.strip() and not without_quotes:
        text = strip_tags(source)
    return tidy(text)


def strip_tags(source: str) -> str:
    """The words between the tags, for HTML that nothing else can read."""
    for name in ("style", "script", "head", "title"):
        source = _without(source, name)
    return tidy(html.unescape(TAGS.sub(" ", BREAKS.sub("\n", source))))


def _without(source: str, name: str) -> str:
    """The source without the elements of that name; one pattern for both ends is quadratic where they never end."""
    begin, end = re.compile(f"<{name}\\b", re.IGNORECASE), re.compile(f"</{name}\\b", re.IGNORECASE)
    out, at = [], 0
    while (start := begin.search(source, at)) and (stop := end.search(source, start.end())):
        out.append(source[at : start.start()])
        at = stop.start()
    return "".join([*out, source[at:]])


def tidy(text: str) -> str:
    """No blanks at line ends, never more than one empty line, no no-break blanks."""
    lines = [line.rstrip() for line in charsets.clean(text).replace("\xa0", " ").replace("\u200b", "").split("\n")]
    out: list[str] = []
    for line in lines:
        if line or (out and out[-1]):
            out.append(line)
    return "\n".join(out).strip("\n")


def has_quote(source: str) -> bool:
    """Whether a mail program has marked its quoted history in this HTML, and it is no forward."""
    return bool(QUOTE_SIGN.search(source)) and not FORWARDED.search(source)


def from_text(text: str) -> str:
    """Plain text as HTML that keeps its lines."""
    return f"<pre>{html.escape(text)}</pre>"


def _drop_quotes(tree: lxml.html.HtmlElement) -> None:
    for element in _FROM_HERE(tree):
        for after in list(element.itersiblings()):
            after.getparent().remove(after)
        element.drop_tree()
    for element in _QUOTES(tree):
        if element.getparent() is not None:
            element.drop_tree()
