"""HTML of strangers made harmless, with remote images held back until somebody asks for them."""

import re
from urllib.parse import quote

import nh3

# Nesting deeper than any real mail makes the parser slow: such a body is shown as text.
MAX_HTML = 512 * 1024
_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del", "div"),
    *("dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li"),
    *("ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th"),
    *("thead", "tr", "u", "ul"),
}
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign"},
    "ol": {"start"},
}
_REMOTE = re.compile(r'(<img\b[^>]*?)\bsrc="(https?:[^"]*)"', re.IGNORECASE)
_CID = re.compile(r'(<img\b[^>]*?)\bsrc="cid:([^"]*)"', re.IGNORECASE)


def clean(html: str) -> str:
    """Keep the words and their shape; drop scripts, styles, forms, frames and every event handler.

    Remote images become `data-remote`, images of the mail itself `data-cid`: neither is loaded
    by a browser until the page that shows them decides.
    """
    if not html or len(html) > MAX_HTML:
        return ""
    safe = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "head"},
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    safe = _REMOTE.sub(r'\1data-remote="\2"', safe)
    return _CID.sub(lambda found: f'{found[1]}data-cid="{quote(found[2], safe="@.-_$+=")}"', safe)
