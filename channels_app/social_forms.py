"""The set-up forms of the social channels: what each field is and where at the provider it is found."""

import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app import kinds
from channels_app.forms import FORMS, ChannelForm

# kind: the steps before the form, in words; docs/channels/ has the long way.
STEPS: dict[str, Any] = {
    "messenger": _(
        "At developers.facebook.com make an app with Messenger, connect your page and make a page token. Then enter "
        "the web address below as its callback and tick messages, messaging_postbacks, message_reads, "
        "message_deliveries, message_echoes, message_edits, message_reactions and feed."
    ),
    "instagram": _(
        "At developers.facebook.com add Instagram to your app, connect the professional account and make a token. Then "
        "enter the web address below as its callback and tick messages, messaging_postbacks, messaging_seen, "
        "message_reactions and comments."
    ),
    "whatsapp": _(
        "At developers.facebook.com add WhatsApp to your app and make a token of a system user, which does not expire. "
        "Then enter the web address below as its callback and tick messages."
    ),
    "zalo": _(
        "At developers.zalo.me make an app, connect your official account to it, and enter the web address below as "
        "its webhook. It must be reachable by HTTPS under a domain. Afterwards press “Connect the account” here."
    ),
    "telegram": _(
        "Talk to @BotFather in Telegram, make a bot with /newbot and copy its token. After saving press “Let it call "
        "us”: Telegram is told the rest by this desk."
    ),
    "line": _(
        "In the LINE Developers console make a Messaging API channel, issue a long-lived access token, and enter the "
        "web address below as the webhook. Turn on webhook redelivery."
    ),
    "viber": _("Copy the token of your bot from the Viber admin panel. After saving press “Let it call us”."),
    "sms": _(
        "In the Twilio console copy the account SID and the auth token, and enter the web address below at the number "
        "under “A message comes in”."
    ),
    "open_api": _(
        "For an app or shop of your own: it sends customers' messages by the API or by signed calls, and gets the "
        "answers at the address you enter here."
    ),
}
# By key; by kind.key where one provider calls or uses it in its own way.
LABELS: dict[str, tuple[Any, Any]] = {
    "page_id": (_("Page id"), _("A number, under “About” of the page.")),
    "account_id": (_("Account id"), _("The number of the Instagram professional account, not its name.")),
    "phone_number_id": (_("Phone number id"), _("WhatsApp → API setup. Not the phone number itself.")),
    "waba_id": (_("WhatsApp Business account id"), _("On the same page as the phone number id.")),
    "verify_token": (_("Verify token"), _("Any words of your own; enter the same ones at the provider.")),
    "app_secret": (_("App secret"), _("App settings → Basic. It proves that calls come from the provider.")),
    "zalo.app_secret": (_("App secret"), _("Settings page of the app. With it the desk gets and renews its keys.")),
    "access_token": (_("Access token"), _("It lets this desk answer.")),
    "refresh_token": (_("Refresh token"), _("“Connect the account” fills it in; it renews itself from then on.")),
    "app_id": (_("App id"), _("The number of your Zalo app.")),
    "oa_id": (_("Official account id"), _("The number of your Zalo official account.")),
    "oa_secret": (_("OA secret key"), _("Webhook page of the app. It proves that calls come from Zalo.")),
    "bot_username": (_("Name of the bot"), _("As customers find it, without the @.")),
    "token": (_("Bot token"), _("From @BotFather, like 123456:ABC…")),
    "secret_token": (_("Secret of the calls"), _("Letters and digits; it proves that calls come from Telegram.")),
    "destination": (_("User id of the bot"), _("“Your user ID” under Basic settings; begins with U.")),
    "channel_secret": (_("Channel secret"), _("Basic settings. It proves that calls come from LINE.")),
    "bot_name": (_("Sender's name"), _("What customers see above our answers, at most 28 letters.")),
    "auth_token": (_("Auth token"), _("It lets this desk answer, and proves that calls come from the provider.")),
    "account_sid": (_("Account SID"), _("Begins with AC.")),
    "number": (_("Number"), _("With the country code: +84901234567.")),
    "callback_url": (_("Where answers go"), _("An address of your system; each answer is posted there, signed.")),
    "signing_secret": (_("Signing secret"), _("Signs both ways by Standard Webhooks; begins with whsec_.")),
    "human_agent": (
        _("Answer for seven days"),
        _("Only if the provider has approved the “human agent” feature for your app."),
    ),
    "comments": (_("Comments too"), _("What people write under your posts comes in as well.")),
    "api_base": (_("Address of the provider"), _("Leave empty. For tests against a stand-in.")),
    "oauth_base": (_("Address of the provider's sign-in"), _("Leave empty. For tests against a stand-in.")),
    "data_base": (_("Address of the provider's files"), _("Leave empty. For tests against a stand-in.")),
}
SECRET_WIDGET = {"autocomplete": "new-password"}
FLAGS = frozenset({"human_agent", "comments"})
MADE_UP = {"verify_token": 24, "secret_token": 32}  # bytes: proposed, so that nobody has to think of one


class SocialForm(ChannelForm):
    """The form of one social kind; its fields are the kind's own keys, those of an admin only for an admin."""

    KIND = ""

    def __init__(self, data: Any = None, *, channel: Any = None, teams: Any = None, is_admin: bool = False) -> None:
        super().__init__(data, channel=channel, teams=teams)
        if not is_admin:
            for name in kinds.BASES:
                self.fields.pop(name, None)
        if "comments" in self.fields and (channel is None or "comments" not in channel.config):
            self.initial["comments"] = True  # as adapters have it: they come in until somebody says no
        self.order_fields(["name", *kinds.NEEDED.get(self.KIND, ()), "team"])
        brought = ("access_token", "refresh_token") if self.KIND in kinds.SIGNED_IN else ()
        for name in self.SECRETS:  # one that is set is not asked for again, one that signing in brings never
            is_there = channel is not None and name in channel.secrets
            self.fields[name].required = (
                name in kinds.NEEDED.get(self.KIND, ()) and name not in brought and not is_there
            )
        if channel is None:
            for name, size in MADE_UP.items():
                if name in self.fields:
                    self.fields[name].initial = secrets.token_urlsafe(size)

    def values(self) -> dict[str, Any]:
        """As ChannelForm; what this reader may not change stays as it is."""
        before = dict(self.channel.config) if self.channel else {}
        given = super().values()
        for name in kinds.BASES:
            if name not in self.fields and name in before:
                given["config"][name] = before[name]
        return given


def _form(kind: str) -> type[SocialForm]:
    config, secret = kinds.KEYS[kind]
    needed = kinds.NEEDED.get(kind, ())
    own: dict[str, Any] = {"KIND": kind, "CONFIG": tuple(config), "SECRETS": tuple(secret)}
    for key in (*config, *secret):
        label, help_text = LABELS.get(f"{kind}.{key}", LABELS[key])
        if key in FLAGS:
            own[key] = forms.BooleanField(label=label, help_text=help_text, required=False)
            continue
        own[key] = forms.CharField(
            label=label,
            help_text=help_text,
            required=key in needed,
            max_length=2000,
            widget=forms.PasswordInput(attrs=SECRET_WIDGET, render_value=False) if _is_hidden(key, secret) else None,
        )
    own["__doc__"] = f"What a channel of kind {kind} is set up with."
    return type(f"{kind.title().replace('_', '')}Form", (SocialForm,), own)


def _is_hidden(key: str, secret: Any) -> bool:
    return key in secret and key not in MADE_UP


ALL_FORMS: dict[str, type[ChannelForm]] = {**FORMS, **{kind: _form(kind) for kind in STEPS}}
