"""The bot itself: whether its token works, whether Viber calls us, and who writes to it."""

from django.utils.translation import gettext_noop

from channels_app.adapters.picking import part, words
from channels_app.adapters.viber import api
from channels_app.contracts import ChannelRef, Probe, Profile, RemoteFile
from helpdesk.core.errors import GiveUp

WANTED = ["delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"]


def connect(channel: ChannelRef, hook_url: str) -> None:
    """Have Viber call us at this address; it tries so before it answers. Raises Retry, Reauthorise or GiveUp."""
    given = {"url": hook_url, "event_types": WANTED, "send_name": True, "send_photo": True}
    api.call(channel, "set_webhook", given, repeatable=True)


def probe(channel: ChannelRef) -> Probe:
    """What is wrong with the bot or with its way to us; raises Retry where Viber cannot be reached."""
    try:
        account = api.call(channel, "get_account_info", {}, repeatable=True)
    except GiveUp as error:
        return Probe(ok=False, problem=str(error))
    problem, hook = "", words(account.get("webhook"))
    if not hook:
        problem = gettext_noop("Viber does not call this desk yet: connect the channel")
    elif f"/hooks/{channel.id}/" not in hook:
        problem = gettext_noop("Viber calls another address: connect the channel again")
    return Probe(ok=not problem, problem=problem, account=words(account.get("name")))


def profile(channel: ChannelRef, address: str) -> Profile:
    """The name, language and picture of a person. Viber answers twice in twelve hours for one person."""
    user = part(api.call(channel, "get_user_details", {"id": address}, repeatable=True), "user")
    avatar, picture = words(user.get("avatar")), None
    if avatar.startswith(("http://", "https://")):
        source = {"url": avatar}
        picture = RemoteFile(source=source, kind="image", filename="picture.jpg", content_type="image/jpeg")
    return Profile(name=words(user.get("name")), language=words(user.get("language"))[:2].lower(), picture=picture)
