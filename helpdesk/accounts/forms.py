"""Forms check shape; the actions check rules."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.models import Role, Team, User
from helpdesk.core.errors import DomainError

THEMES = [("auto", _("As my device")), ("light", _("Light")), ("dark", _("Dark"))]
EXPIRIES = [("", _("Never")), ("30", _("In 30 days")), ("90", _("In 90 days")), ("365", _("In a year"))]


def show_refusal(form: forms.Form, error: DomainError) -> None:
    """Put what an action refused beside the fields it is about, or above the form."""
    for field, problems in error.fields.items():
        for problem in problems:
            form.add_error(field if field in form.fields else None, problem)
    if not error.fields:
        form.add_error(None, error.message)


class JoinForm(forms.Form):
    """Name and password of somebody who comes in by an invitation."""

    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least ten characters; a few words are easy to remember."),
    )


class FirstAdminForm(JoinForm):
    """The first person at an empty desk."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    field_order = ["name", "email", "password"]


class ProfileForm(forms.Form):
    """One's own settings."""

    name = forms.CharField(label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.CharField(
        label=_("Time zone"), max_length=60, widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"})
    )
    theme = forms.ChoiceField(label=_("Appearance"), choices=THEMES)
    signature = forms.CharField(
        label=_("Signature"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Stands below your mails to customers."),
    )

    @classmethod
    def of(cls, user: User) -> "ProfileForm":
        return cls(initial={field: getattr(user, field) for field in cls.base_fields})


class PreferencesForm(forms.Form):
    """Language, theme and time zone by themselves, any of them."""

    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)
    theme = forms.ChoiceField(choices=THEMES, required=False)
    time_zone = forms.CharField(max_length=60, required=False)

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone and zone not in available_timezones():
            raise forms.ValidationError(_("There is no such time zone."))
        return zone


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(label=_("What is it for?"), max_length=80)
    days = forms.ChoiceField(label=_("Ends"), choices=EXPIRIES, required=False)


class InviteForm(forms.Form):
    """Somebody new. The choices are those the actor may really give."""

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    language = forms.ChoiceField(label=_("Language of the mail"), choices=settings.LANGUAGES)
    teams = forms.MultipleChoiceField(label=_("Teams"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, roles: list[tuple[str, Any]], teams: list[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        self.fields["teams"].choices = [(str(team.pk), team.name) for team in teams]  # type: ignore[attr-defined]
        if not teams:
            del self.fields["teams"]


class TeamForm(forms.Form):
    """A team's name."""

    name = forms.CharField(label=_("Name of the team"), max_length=80)
