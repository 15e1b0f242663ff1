"""Forms of the channels page: every field says what it is for and where to find it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app import kinds
from channels_app.models import Channel
from helpdesk.accounts.models import Team


class ChannelForm(forms.Form):
    """What every kind of channel has. `values()` is what the action takes."""

    CONFIG: tuple[str, ...] = ()
    SECRETS: tuple[str, ...] = ()

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("What colleagues call it."))
    team = forms.ModelChoiceField(
        label=_("Team"),
        queryset=Team.objects.none(),
        required=False,
        empty_label=_("No team: everybody sees its conversations"),
        help_text=_("Where its new conversations go."),
    )

    def __init__(self, data: Any = None, *, channel: Channel | None = None, teams: Any = None) -> None:
        self.channel = channel
        super().__init__(data, initial=_initial(self, channel))
        self.order_fields(["name", "address", "origins", "greeting", "team"])
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        for name in self.SECRETS:
            if channel and name in channel.secrets:
                self.fields[name].help_text = _("Set. It is never shown again; type to replace it.")

    def values(self) -> dict[str, Any]:
        """The valid form as `channels_app.actions` takes it. Secrets left empty stay as they are."""
        clean = self.cleaned_data
        config = dict(self.channel.config) if self.channel else {}
        for name in self.CONFIG:
            if clean.get(name) in (None, "", []):
                config.pop(name, None)
            else:
                config[name] = clean[name]
        team = clean["team"]
        return {
            "name": clean["name"],
            "address": clean.get("address", self.channel.address if self.channel else ""),
            "team_id": team.pk if team else None,
            "config": config,
            "secrets": {name: clean[name] for name in self.SECRETS if clean.get(name)},
        }


class EmailForm(ChannelForm):
    """A mailbox: mail comes by our own listener, by IMAP, or by a pipe of the mail server."""

    CONFIG = ("imap_host", "imap_port", "imap_user")
    SECRETS = ("imap_password",)

    address = forms.EmailField(
        label=_("Address"), help_text=_("Customers write to it and see it as the sender: support@your-shop.vn")
    )
    imap_host = forms.CharField(
        label=_("IMAP server"),
        required=False,
        help_text=_("Only if mail is to be fetched from a provider: imap.gmail.com, outlook.office365.com …"),
    )
    imap_port = forms.IntegerField(
        label=_("IMAP port"), required=False, min_value=1, max_value=65535, help_text=_("993 almost everywhere.")
    )
    imap_user = forms.CharField(label=_("IMAP user"), required=False, help_text=_("Often the whole address."))
    imap_password = forms.CharField(
        label=_("App password"),
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Made in the provider's security settings; not the password of the account."),
    )


class WebchatForm(ChannelForm):
    """The chat on the shop's own pages."""

    CONFIG = ("origins", "greeting")
    SECRETS = ("identity_secret",)

    origins = forms.CharField(
        label=_("Pages that may show it"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One origin a line, as the browser shows it: https://your-shop.vn"),
    )
    greeting = forms.CharField(
        label=_("Greeting"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The first words in the chat."),
    )
    identity_secret = forms.CharField(
        label=_("Identity secret"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Your site signs with it who is signed in there, so that nobody is asked twice."),
    )

    def clean_origins(self) -> list[str]:
        """The origins as a list; each must be one."""
        found = [line.strip().rstrip("/") for line in self.cleaned_data["origins"].splitlines() if line.strip()]
        wrong = [one for one in found if not kinds.is_origin(one)]
        if wrong:
            raise forms.ValidationError(_("This is no origin: %(origin)s"), params={"origin": wrong[0]})
        return found


FORMS: Mapping[str, type[ChannelForm]] = {"email": EmailForm, "webchat": WebchatForm}


def _initial(form: ChannelForm, channel: Channel | None) -> dict[str, Any]:
    if channel is None:
        return {}
    config = {name: channel.config.get(name) for name in form.CONFIG}
    if isinstance(config.get("origins"), list):
        config["origins"] = "\n".join(config["origins"])
    return {"name": channel.name, "address": channel.address, "team": channel.team_id, **config}
