"""The sign-in library's forms in our own words, so that they can be translated."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from django import forms
from django.utils.translation import gettext_lazy as _

WORDS = {
    "login": _("E-mail"),
    "email": _("E-mail"),
    "password": _("Password"),
    "oldpassword": _("Your present password"),
    "password1": _("New password"),
    "password2": _("New password, once more"),
    "code": _("Code"),
}
HELP = {"password1": _("At least ten characters; a few words are easy to remember.")}


class InOurWords(forms.Form):
    """Labels instead of placeholders; the first field has the focus."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place, (name, field) in enumerate(self.fields.items()):
            field.label = WORDS.get(name, field.label)
            field.help_text = HELP.get(name, "")
            field.widget.attrs.pop("placeholder", None)
            if place == 0:
                field.widget.attrs["autofocus"] = True
            if name == "login":
                field.widget.attrs["autocomplete"] = "username"
            if name == "code":
                field.widget.attrs["inputmode"] = "numeric"


class LoginForm(InOurWords, account.LoginForm):
    """Fields `login` and `password`."""


class ResetPasswordForm(InOurWords, account.ResetPasswordForm):
    """Asks for the mail with the link."""


class ResetPasswordKeyForm(InOurWords, account.ResetPasswordKeyForm):
    """The new password, by the link."""


class ChangePasswordForm(InOurWords, account.ChangePasswordForm):
    """The new password, by the old one."""


class ReauthenticateForm(InOurWords, account.ReauthenticateForm):
    """The password once more."""


class CodeForm(InOurWords, mfa.AuthenticateForm):
    """The second factor at sign-in."""


class CodeAgainForm(InOurWords, mfa.ReauthenticateForm):
    """The second factor once more."""


class ActivateTOTPForm(InOurWords, totp.ActivateTOTPForm):
    """The first code of a new authenticator app."""
