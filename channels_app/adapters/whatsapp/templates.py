"""The approved templates of a WhatsApp Business account that the desk can fill in."""

import re
from typing import Any
from urllib.parse import quote

from channels_app.adapters import graph
from channels_app.adapters.whatsapp.values import identifier, mapping, mappings, words
from channels_app.contracts import ChannelRef, Template

PAGE, MAX_PAGES = "100", 10  # an account has 250 templates by default, each in several languages
_PLACE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


def templates(channel: ChannelRef) -> list[Template]:
    """Every one whose only values stand in its body, by name. Raises Retry, Reauthorise or GiveUp."""
    found: list[Template] = []
    params = {"fields": "name,language,status,category,parameter_format,components", "status": "APPROVED"}
    after = ""
    account = quote(str(channel.config.get("waba_id", "")), safe="")
    for _page in range(MAX_PAGES):
        asked = params | {"limit": PAGE} | ({"after": after} if after else {})
        reply = graph.call(channel, "GET", f"{account}/message_templates", repeatable=True, params=asked)
        found += [one for one in map(template, mappings(reply.get("data"))) if one]
        paging = mapping(reply.get("paging"))
        after = identifier(mapping(paging.get("cursors")).get("after"))
        if not paging.get("next") or not after:
            break
    return sorted(found, key=lambda one: (one.name, one.language))


def template(given: dict[str, Any]) -> Template | None:
    """One template as the composer offers it; None for one not approved, or that wants more than words in its body."""
    parts = mappings(given.get("components"))
    body = next((words(part.get("text")) for part in parts if part.get("type") == "BODY"), "")
    name, language = identifier(given.get("name")), identifier(given.get("language"))
    if given.get("status") != "APPROVED" or given.get("category") == "AUTHENTICATION":
        return None
    if not body or not name or not language or any(_wants_more(part) for part in parts):
        return None
    places = list(dict.fromkeys(_PLACE.findall(body)))
    is_named = given.get("parameter_format") == "NAMED"
    return Template(
        name=name,
        language=language,
        category=identifier(given.get("category")).lower(),
        body=body,
        parameters=len(places),
        names=tuple(places) if is_named else (),
    )


def _wants_more(part: dict[str, Any]) -> bool:
    """A picture or a value in its head, or a value in one of its buttons: the desk has no field for them."""
    if part.get("type") == "HEADER":
        return part.get("format") != "TEXT" or bool(_PLACE.search(words(part.get("text"))))
    if part.get("type") == "BUTTONS":
        plain = {"QUICK_REPLY", "PHONE_NUMBER", "URL", "REQUEST_CONTACT_INFO"}
        buttons = mappings(part.get("buttons"))
        return any(one.get("type") not in plain or _PLACE.search(words(one.get("url"))) for one in buttons)
    return part.get("type") not in ("BODY", "FOOTER")
