"""What a message holds beside its words, ready to be printed: files, places, cards, quotes, reactions, former texts."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils import formats, timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from channels_app.media import SAFE_IMAGES, SAFE_SOUNDS, SAFE_VIDEOS
from channels_app.models import Media
from helpdesk.core.text import snippet
from tickets.models import Attachment, Message, Ticket
from tickets.understanding.summaries import summary
from tickets.web import words

MAX_CARDS = 10
MAX_LINES = 6


@dataclass(slots=True)
class File:
    """`what`: image, sticker, video, audio, file; coming and lost for what is not here."""

    what: str
    url: str
    name: str
    size: str = ""
    content_type: str = ""


@dataclass(slots=True)
class Line:
    """One line about a message: an icon, words, where they lead, and more behind them."""

    icon: str
    text: str
    url: str = ""
    more: str = ""


@dataclass(slots=True)
class Quote:
    who: str
    text: str
    anchor: str = ""  # of the message on this page


@dataclass(slots=True)
class Reacted:
    emoji: str
    who: str


@dataclass(slots=True)
class Former:
    when: str
    text: str


@dataclass(slots=True)
class Extras:
    """Everything that stands around a message's words."""

    above: list[Line] = field(default_factory=list)  # where it comes from: post, story, ad
    below: list[Line] = field(default_factory=list)  # what it brings: a place, a card
    post: Line | None = None  # what a public comment stands under
    files: list[File] = field(default_factory=list)
    reactions: list[Reacted] = field(default_factory=list)
    former: list[Former] = field(default_factory=list)
    edited: str = ""
    chosen: str = ""
    via: str = ""


def of(message: Message, ticket: Ticket) -> Extras:
    """What there is beside the words; details are a provider's, so nothing in them is taken for granted."""
    found = Extras()
    details = message.details if isinstance(message.details, dict) else {}
    found.files = [_file(one, is_sticker="sticker" in details) for one in message.attachments.all()]
    found.reactions = [Reacted(str(emoji), ticket.customer_name) for emoji in message.reactions.values()]
    if message.kind == "comment":
        found.post = _post(details.get("post"))
    if details.get("forwarded"):
        found.above.append(Line("send", _("Forwarded")))
    if isinstance(story := details.get("story"), dict):
        found.above.append(Line("image", _("Answers a story"), _link(story.get("url"))))
    if isinstance(referral := details.get("referral"), dict):
        found.above.append(_referral(referral))
    if isinstance(choice := details.get("choice"), dict) and (title := _text(choice.get("title"))):
        found.chosen = _("Chose: {}").format(title)
    if (place := _place(details.get("location"))) is not None:
        found.below.append(place)
    contacts = details.get("contacts")
    found.below += [_card(card) for card in (contacts if isinstance(contacts, list) else [])[:MAX_CARDS]]
    if details.get("unsupported"):
        found.below.append(Line("question", _("The provider hands over no content for this kind of message.")))
    if details.get("echo"):
        found.via = _("Sent from {channel}’s own app").format(channel=words.channel(message.channel_kind))
    if message.edited_at:
        found.edited = _("Edited {}").format(_moment(message.edited_at))
        found.former = [_former(one) for one in details.get("history", [])]
    return found


def quote(quoted: Message | None, ticket: Ticket, shown: set[int]) -> Quote | None:
    """The message that is answered, in one line; `shown`: the ids of those on the page."""
    if quoted is None:
        return None
    who = quoted.author.name if quoted.author else quoted.sender_name or ticket.customer_name
    text = snippet(quoted.text)
    if quoted.unsent_at or not text:
        files = [(one.content_type, one.filename) for one in quoted.attachments.all()]
        unsent = quoted.unsent_at is not None
        text = summary(language=get_language() or "", details=quoted.details, files=files, unsent=unsent)
    return Quote(who, text, f"#m{quoted.pk}" if quoted.pk in shown else "")


def _file(one: Attachment, *, is_sticker: bool) -> File:
    url, size = f"/inbox/files/{one.pk}/", words.size(one.size) if one.size else ""
    if one.media.state == Media.State.COMING:
        return File("coming", "", one.filename)
    if one.media.state == Media.State.LOST:
        return File("lost", "", one.filename if "." in one.filename else "")  # `image` is no name
    if one.content_type in SAFE_IMAGES:
        return File("sticker" if is_sticker else "image", url, one.filename, size)
    for what, safe in (("audio", SAFE_SOUNDS), ("video", SAFE_VIDEOS)):
        if one.content_type in safe:
            return File(what, url, one.filename, size, one.content_type)
    return File("file", url, one.filename, size)


def _post(post: Any) -> Line:
    post = post if isinstance(post, dict) else {}
    text = snippet(_text(post.get("text")), 80)
    label = _("Public, under the post “{}”").format(text) if text else _("Public, under a post")
    return Line("eye", label, _link(post.get("url")))


def _referral(referral: dict[str, Any]) -> Line:
    title = _text(referral.get("title")) or _text(referral.get("ref"))
    is_ad = "ad" in _text(referral.get("source")).lower()
    if is_ad:
        label = _("Came from an ad: {}").format(title) if title else _("Came from an ad")
    else:
        label = _("Came by a link: {}").format(title) if title else _("Came by a link")
    return Line("link", label, _link(referral.get("url")))


def _place(location: Any) -> Line | None:
    """A place on a map that anybody may open; None where the coordinates are none."""
    if not isinstance(location, dict):
        return None
    try:
        latitude, longitude = float(location["latitude"]), float(location["longitude"])
    except (KeyError, TypeError, ValueError):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    at = f"{latitude:.5f}, {longitude:.5f}"
    named = ", ".join(part for key in ("name", "address") if (part := _text(location.get(key))))
    url = (
        f"https://www.openstreetmap.org/?mlat={latitude:.6f}&mlon={longitude:.6f}#map=17/{latitude:.6f}/{longitude:.6f}"
    )
    return Line("place", named or at, url, at if named else "")


def _card(card: Any) -> Line:
    card = card if isinstance(card, dict) else {}
    lines: list[str] = []
    for key in ("phones", "emails"):
        value = card.get(key)
        lines += [text for one in (value if isinstance(value, list) else [])[:MAX_LINES] if (text := _text(one))]
    return Line("mine", _text(card.get("name")) or _("Contact card"), "", " · ".join(lines))


def _former(one: Any) -> Former:
    one = one if isinstance(one, dict) else {}
    try:
        when = _moment(datetime.fromisoformat(str(one.get("at"))))
    except ValueError:
        when = ""
    return Former(when, _text(one.get("text"), 60_000))


def _moment(at: datetime) -> str:
    local = timezone.localtime(at)
    return local.strftime("%H:%M") if local.date() == timezone.localdate() else formats.date_format(local, "d/m H:i")


def _text(value: Any, length: int = 300) -> str:
    return value.strip()[:length] if isinstance(value, str) else ""


def _link(url: Any) -> str:
    """A provider's address if a browser may be led there; else nothing."""
    if not isinstance(url, str) or len(url) > 2000:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""
