"""What the Graph API is asked besides: who somebody is, a file, whether the keys work."""

from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters import graph
from channels_app.adapters.meta.content import ident, link, words
from channels_app.contracts import ChannelRef, Fetched, Probe, Profile, RemoteFile
from helpdesk.core import net
from helpdesk.core.errors import GiveUp, Reauthorise


def profile(channel: ChannelRef, address: str, fields: str, *, base: str) -> Profile:
    """Name, language and picture of a person. Raises Retry, Reauthorise, or GiveUp where they do not show them."""
    if not (address.isascii() and address.isdecimal()):
        raise GiveUp(gettext_noop("nobody to ask about"))
    try:
        known = graph.call(channel, "GET", address, base=base, params={"fields": fields}, repeatable=True)
    except graph.Forbidden as forbidden:  # this one question; sending may work all the same
        raise GiveUp(gettext_noop("the provider does not tell who this is")) from forbidden
    picture = link(known.get("profile_pic"))
    parts = (words(known.get("first_name")), words(known.get("last_name")))
    name = words(known.get("name")) or " ".join(part for part in parts if part) or words(known.get("username"))
    return Profile(
        name=name[:200],
        language=words(known.get("locale"))[:2].lower(),
        picture=RemoteFile(source={"url": picture}, kind="image", filename="picture") if picture else None,
    )


def fetch(source: dict[str, str]) -> Fetched:
    """A file behind its signed address, which asks for no key. Raises Retry or GiveUp."""
    file = net.fetch(source.get("url", ""))
    return Fetched(content=file.content, content_type=file.content_type, filename=file.filename)


def probe(channel: ChannelRef, fields: str, own: str, *, base: str) -> tuple[dict[str, Any], Probe]:
    """Who the key says it is, and what is wrong with that; `own` leads to the id, with dots. Raises Retry."""
    try:
        known = graph.call(channel, "GET", "me", base=base, params={"fields": fields}, repeatable=True)
    except Reauthorise as error:
        return {}, Probe(ok=False, problem=str(error))
    except graph.Refused as error:
        return {}, Probe(ok=False, problem=str(error)[:300])
    found: Any = known
    for name in own.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    account = words(known.get("name")) or words(known.get("username"))
    if ident(found) != channel.address:
        problem = gettext_noop("The access token belongs to another page or account than the id entered here.")
        return known, Probe(ok=False, problem=problem, account=account[:200])
    return known, Probe(ok=True, account=account[:200])


def subscribed(channel: ChannelRef, *, base: str) -> set[str] | None:
    """Which events the page or account sends to applications; None where the key may not ask. Raises Retry."""
    try:
        told = graph.call(channel, "GET", "me/subscribed_apps", base=base, repeatable=True)
    except GiveUp:
        return None
    apps = told.get("data")
    fields: set[str] = set()
    for app in apps if isinstance(apps, list) else []:
        given = app.get("subscribed_fields") if isinstance(app, dict) else None
        for one in given if isinstance(given, list) else []:
            fields.add(words(one.get("name")) if isinstance(one, dict) else words(one))
    return fields
