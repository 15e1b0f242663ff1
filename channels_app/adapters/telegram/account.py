"""The bot itself: whether its token works, whether Telegram calls us, and who writes to it."""

from typing import Any

from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app.adapters.picking import ident, part, parts, whole, words
from channels_app.adapters.telegram import api
from channels_app.contracts import ChannelRef, Probe, Profile, RemoteFile
from helpdesk.core.errors import GiveUp, Reauthorise

# Reactions and business chats come only when they are asked for by name.
WANTED = [
    *("message", "edited_message", "callback_query", "my_chat_member", "message_reaction"),
    *("business_connection", "business_message", "edited_business_message", "deleted_business_messages"),
]
MANY_WAITING = 100
RECENT = 3600  # seconds: an older failure of a call has been got over


def connect(channel: ChannelRef, hook_url: str) -> None:
    """Have Telegram call us at this address; raises Retry, Reauthorise or GiveUp."""
    if not hook_url.startswith("https://") and not channel.config.get("api_base"):
        raise GiveUp(gettext_noop("Telegram calls https addresses only: give the desk one by SITE_URL"))
    given = {"url": hook_url, "secret_token": str(channel.secrets.get("secret_token", "")), "allowed_updates": WANTED}
    api.call(channel, "setWebhook", given, repeatable=True)


def probe(channel: ChannelRef) -> Probe:
    """What is wrong with the bot or with its way to us; raises Retry where Telegram cannot be reached."""
    try:
        me = part(api.call(channel, "getMe", {}, repeatable=True))
        hook = part(api.call(channel, "getWebhookInfo", {}, repeatable=True))
    except Reauthorise as error:
        return Probe(ok=False, problem=str(error))
    except GiveUp as error:
        return Probe(ok=False, problem=str(error))
    name = words(me.get("username"))
    problem = _problem(channel, name, hook)
    return Probe(ok=not problem, problem=problem, account=f"@{name}" if name else "")


def profile(channel: ChannelRef, address: str) -> Profile:
    """The name and picture of a person or a group."""
    chat = part(api.call(channel, "getChat", {"chat_id": address}, repeatable=True))
    called = " ".join(filter(None, (words(chat.get("first_name")), words(chat.get("last_name")))))
    return Profile(name=called or words(chat.get("title")), picture=_picture(channel, address, chat))


def _problem(channel: ChannelRef, name: str, hook: dict[str, Any]) -> str:
    if name.lower() != str(channel.config.get("bot_username", "")).lstrip("@").lower():
        return gettext_noop("the token belongs to another bot: check the bot's name")
    if not words(hook.get("url")):
        return gettext_noop("Telegram does not call this desk yet: connect the channel")
    if f"/hooks/{channel.id}/" not in words(hook.get("url")):
        return gettext_noop("Telegram calls another address: connect the channel again")
    if whole(hook.get("last_error_date")) > now().timestamp() - RECENT:
        said = words(hook.get("last_error_message")).lower()
        if "ssl" in said or "certificate" in said:
            return gettext_noop("Telegram does not accept the certificate of this desk's address")
        if "wrong response" in said:
            return gettext_noop("this desk refused calls of Telegram: connect the channel again")
        return gettext_noop("Telegram cannot reach this desk's address")
    if whole(hook.get("pending_update_count")) > MANY_WAITING:
        return gettext_noop("many messages still wait at Telegram to be fetched")
    return ""


def _picture(channel: ChannelRef, address: str, chat: dict[str, Any]) -> RemoteFile | None:
    if address.startswith("-"):  # a group has one picture and no list of them
        file_id = ident(part(chat, "photo").get("big_file_id"))
    else:
        given = {"user_id": int(address) if address.isdecimal() else 0, "limit": 1}
        photos = part(api.call(channel, "getUserProfilePhotos", given, repeatable=True)).get("photos")
        sizes = parts(photos[0]) if isinstance(photos, list) and photos else []
        file_id = ident(max(sizes, key=lambda one: whole(one.get("width"))).get("file_id")) if sizes else ""
    if not file_id:
        return None
    source = {"file_id": file_id}
    return RemoteFile(source=source, kind="image", filename="picture.jpg", content_type="image/jpeg")
