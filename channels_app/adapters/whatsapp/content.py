"""What a message says, by its type: text, files, and what else the desk shows of it, pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from channels_app.adapters.whatsapp.values import degrees, identifier, mapping, mappings, number, words
from channels_app.contracts import RemoteFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is to be shown of a message."""

    text: str = ""
    remote: tuple[RemoteFile, ...] = ()
    details: dict[str, object] = field(default_factory=dict)


def content(message: dict[str, Any]) -> Content | None:
    """What the message says; None for a type the desk does not know, or one that lacks its own part."""
    kind = identifier(message.get("type"))
    read = _READERS.get(kind)
    if kind == "unsupported":
        return Content(details={"unsupported": True})
    if read is None or not isinstance(message.get(kind), dict | list):
        return None
    return read(kind, message.get(kind))


def circumstances(message: dict[str, Any]) -> dict[str, object]:
    """What stands beside any type: forwarded, the ad it came from, the product it is about, the group it is in."""
    found: dict[str, object] = {}
    context, referral = mapping(message.get("context")), mapping(message.get("referral"))
    if context.get("forwarded") is True or context.get("frequently_forwarded") is True:
        found["forwarded"] = True
    if product := identifier(mapping(context.get("referred_product")).get("product_retailer_id")):
        found["product"] = {"id": product}
    if referral:
        found["referral"] = {
            "source": words(referral.get("source_type")) or "ad",
            "ref": identifier(referral.get("source_id")),
            "title": words(referral.get("headline")) or words(referral.get("body")),
            "url": words(referral.get("source_url")),
        }
    if group := identifier(message.get("group_id")):
        found["group"] = {"id": group}
    return found


def _text(kind: str, part: Any) -> Content | None:
    return Content(text=words(mapping(part).get("body")))


def _file(kind: str, part: Any) -> Content | None:
    part = mapping(part)
    media = identifier(part.get("id"))
    if not media:
        return None
    remote = RemoteFile(
        source={"media": media},
        kind={"document": "file"}.get(kind, kind),
        filename=words(part.get("filename"))[:255],
        content_type=identifier(part.get("mime_type"))[:120],
        size=min(max(number(part.get("file_size")), 0), 10**12),
    )
    details: dict[str, object] = {"sticker": {"id": media}} if kind == "sticker" else {}
    if part.get("voice") is True:
        details["voice"] = True
    return Content(text=words(part.get("caption")), remote=(remote,), details=details)


def _location(kind: str, part: Any) -> Content | None:
    part = mapping(part)
    latitude, longitude = degrees(part.get("latitude")), degrees(part.get("longitude"))
    if latitude is None or longitude is None:
        return None
    place: dict[str, object] = {"latitude": latitude, "longitude": longitude}
    place |= {name: words(part.get(name)) for name in ("name", "address") if words(part.get(name))}
    return Content(details={"location": place})


def _contacts(kind: str, part: Any) -> Content | None:
    cards = []
    for card in mappings(part):
        name = mapping(card.get("name"))
        full = words(name.get("formatted_name")) or words(name.get("first_name"))
        phones = [words(one.get("phone")) or identifier(one.get("wa_id")) for one in mappings(card.get("phones"))]
        emails = [words(one.get("email")) for one in mappings(card.get("emails"))]
        cards.append({"name": full, "phones": [p for p in phones if p], "emails": [e for e in emails if e]})
    return Content(details={"contacts": cards}) if cards else None


def _interactive(kind: str, part: Any) -> Content | None:
    part = mapping(part)
    chosen = mapping(part.get("button_reply")) or mapping(part.get("list_reply"))
    if chosen:
        return _choice(words(chosen.get("title")), identifier(chosen.get("id")))
    if form := mapping(part.get("nfm_reply")):
        title = words(form.get("body")) or words(form.get("name"))
        return _choice(title, words(form.get("response_json"))[:10_000])
    return None


def _button(kind: str, part: Any) -> Content | None:
    part = mapping(part)
    return _choice(words(part.get("text")), identifier(part.get("payload")))


def _choice(title: str, payload: str) -> Content:
    return Content(text=title, details={"choice": {"title": title, "payload": payload}})


def _order(kind: str, part: Any) -> Content | None:
    part = mapping(part)
    wanted = [
        {
            "id": identifier(one.get("product_retailer_id")),
            "quantity": _amount(one.get("quantity")),
            "price": _amount(one.get("item_price")),
            "currency": words(one.get("currency")),
        }
        for one in mappings(part.get("product_items"))
    ]
    if not wanted:
        return None
    lines = [f"{one['quantity'] or 1} × {one['id']} ({one['price']} {one['currency']})".strip() for one in wanted]
    text = "\n".join(filter(None, (words(part.get("text")), *lines)))
    return Content(text=text, details={"order": {"catalog": identifier(part.get("catalog_id")), "items": wanted}})


def _amount(value: Any) -> str:
    """A quantity or a price as it was written, also where it came as a number."""
    if isinstance(value, float) and not isinstance(value, bool):
        return f"{value:g}"
    return identifier(value)


_READERS: dict[str, Callable[[str, Any], Content | None]] = {
    "text": _text,
    **dict.fromkeys(("image", "video", "audio", "document", "sticker"), _file),
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "button": _button,
    "order": _order,
}
