"""What a message of Messenger or Instagram holds: words, files, a place, a choice, what it answers. Pure."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from channels_app.contracts import RemoteFile
from helpdesk.core.text import short_id

_FILES = {"image": "image", "video": "video", "audio": "audio", "file": "file"}
# What somebody passed on: a post, a reel, a story. The address is of the media itself, or of the page that shows it.
_SHARED = {"share": "image", "ig_post": "image", "ig_reel": "video", "reel": "video", "story_mention": "file"}
_PAGES = ("facebook.com", "instagram.com", "fb.watch", "fb.com", "m.me", "messenger.com")


@dataclass(slots=True)
class Content:
    """What is gathered from one message."""

    text: str = ""
    remote: list[RemoteFile] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)
    quotes: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.remote or self.details)

    def add_file(self, url: str, kind: str, filename: str = "") -> None:
        """One file to fetch; the same address is one file."""
        if url and all(one.source["url"] != url for one in self.remote):
            self.remote.append(RemoteFile(source={"url": url}, kind=kind, filename=filename))

    def add_words(self, *lines: str) -> None:
        """Further lines of text, each but once."""
        for line in lines:
            if line and line not in self.text:
                self.text = f"{self.text}\n{line}" if self.text else line


def obj(value: Any) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; a single object counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def ident(value: Any) -> str:
    """An id as text, though it came as a number; empty where there is none. At most 255 characters."""
    if type(value) is int:
        value = str(value)
    return short_id(value.strip()) if isinstance(value, str) else ""


def words(value: Any) -> str:
    """Text in NFC; empty for anything that is none."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else ""


def link(value: Any) -> str:
    """A web address; empty for anything else."""
    fits = isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) <= 8000
    return value if fits else ""


def moment(value: Any, latest: datetime) -> datetime:
    """A moment given in seconds, milliseconds or ISO form; `latest` for anything else and for all that lies after."""
    try:
        if isinstance(value, str) and not value.isdecimal():
            found = datetime.fromisoformat(value)
            return min(found, latest) if found.tzinfo else latest
        number = float(value) if type(value) in (str, int, float) else 0.0
        found = datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    except (ValueError, OverflowError, OSError):
        return latest
    return min(found, latest) if number > 0 else latest


def read(message: dict[str, Any]) -> Content:
    """Everything that a `message` object says."""
    found = Content(text=words(message.get("text")))
    for attachment in objects(message.get("attachments")):
        _attachment(found, attachment)
    if sticker := ident(message.get("sticker_id")):
        found.details["sticker"] = {"id": sticker}
    _answers(found, obj(message.get("reply_to")))
    quick = obj(message.get("quick_reply"))
    if quick:
        found.details["choice"] = {"title": found.text, "payload": words(quick.get("payload"))}
    if given := referral(message.get("referral")):
        found.details["referral"] = given
    if product := ident(obj(obj(message.get("referral")).get("product")).get("id")):
        found.details["product"] = {"id": product}
    if message.get("is_unsupported") is True:
        found.details["unsupported"] = True
    return found


def referral(value: Any) -> dict[str, str]:
    """Which advertisement or link led here; empty where none did."""
    given = obj(value)
    ad = obj(given.get("ads_context_data"))
    found = {
        "source": words(given.get("source")),
        "ref": words(given.get("ref")) or ident(given.get("ad_id")),
        "title": words(ad.get("ad_title")),
        "url": link(given.get("referer_uri")) or link(ad.get("photo_url")) or link(ad.get("video_url")),
    }
    return {name: text[:1000] for name, text in found.items() if text}


def _answers(found: Content, reply_to: dict[str, Any]) -> None:
    """What it answers: a message of the conversation, or a story of ours."""
    found.quotes = ident(reply_to.get("mid"))
    story = obj(reply_to.get("story"))
    if story:
        url = link(story.get("url"))
        found.details["story"] = {"url": url}
        found.add_file(url, "file", "story")  # it is gone after a day


def _attachment(found: Content, attachment: dict[str, Any]) -> None:
    kind, payload = words(attachment.get("type")), obj(attachment.get("payload"))
    url = link(payload.get("url")) or link(attachment.get("url"))
    sticker = ident(payload.get("sticker_id"))
    if sticker:
        found.details["sticker"] = {"id": sticker}
        found.add_file(url, "sticker")
    elif kind == "location":
        _place(found, attachment, payload)
    elif kind in ("template", "fallback"):
        found.add_words(words(attachment.get("title")), *_template(payload))
        found.add_words(url)
    elif kind in _SHARED:
        _shared(found, kind, url, payload)
    elif url:
        found.add_file(url, _FILES.get(kind, "file"))
    else:  # shown once and gone, or of a kind that is not given out
        found.details["unsupported"] = True


def _shared(found: Content, kind: str, url: str, payload: dict[str, Any]) -> None:
    found.add_words(words(payload.get("title")))
    if kind == "story_mention":
        found.details["story"] = {"url": url}
    if _is_page(url):
        found.add_words(url)
    elif url:
        found.add_file(url, _SHARED[kind], "story" if kind == "story_mention" else "")
    elif found.is_empty:
        found.details["unsupported"] = True


def _is_page(url: str) -> bool:
    """Whether a browser shows it: there is no file behind it."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return any(host == page or host.endswith(f".{page}") for page in _PAGES)


def _place(found: Content, attachment: dict[str, Any], payload: dict[str, Any]) -> None:
    given = obj(payload.get("coordinates"))
    latitude, longitude = given.get("lat"), given.get("long")
    if _is_degree(latitude, 90) and _is_degree(longitude, 180):
        place: dict[str, object] = {"latitude": latitude, "longitude": longitude}
        found.details["location"] = place | {"name": words(attachment.get("title"))[:300]}
    else:
        found.details["unsupported"] = True


def _is_degree(value: Any, most: int) -> bool:
    return type(value) in (int, float) and abs(value) <= most  # no endless number is, and none that is not one


def _template(payload: dict[str, Any]) -> Iterator[str]:
    """The words of a card: a product somebody asks about, buttons a bot showed."""
    yield words(payload.get("title"))
    yield words(payload.get("text"))
    elements = objects(payload.get("elements")) or objects(obj(payload.get("product")).get("elements"))
    for element in elements:
        yield words(element.get("title"))
        yield words(element.get("subtitle"))
        yield link(element.get("url")) or link(obj(element.get("default_action")).get("url"))
    for button in objects(payload.get("buttons")):
        title = words(button.get("title"))
        yield f"[{title}]" if title else ""
