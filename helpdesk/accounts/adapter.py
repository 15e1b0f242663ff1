"""How allauth behaves here: nobody signs up, links are made from SITE_URL, secrets lie encrypted."""

import base64
import secrets
import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from helpdesk.accounts.models import User
from helpdesk.accounts.queries import roles_with_required_mfa
from helpdesk.core import crypto


class InvitationOnlyAdapter(DefaultAccountAdapter):
    """Sign-in for people who were invited. Mails leave through EMAIL_BACKEND in the reader's language."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _lazy("This account is closed."),
        "email_password_mismatch": _lazy("The e-mail address or the password is not right."),
        "enter_current_password": _lazy("This is not your present password."),
        "incorrect_password": _lazy("The password is not right."),
        "invalid_password_reset": _lazy("This link is no longer good."),
        "rate_limited": _lazy("Too many attempts. Try again in a minute."),
        "too_many_login_attempts": _lazy("Too many failed attempts. Try again in five minutes."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the account's language where the account is known, else in that of the page."""
        user = context.get("user")
        with translation.override(user.language if isinstance(user, User) else translation.get_language()):
            super().send_mail(template_prefix, email, context)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Never from the request: a forged Host header must not lead a reset link astray."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.SITE_URL + path.replace("UID-KEY", key)

    def reauthenticate(self, user: User, password: str) -> bool:
        """The user's own address counts, whether or not allauth has a row for it."""
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within five minutes of the sign-in itself: that was the proof."""
        records = get_authentication_records(context.request, context.request.user)
        if records and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address for rate limits and the session list; 0.0.0.0 when the server was reached by a unix socket."""
        return request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104 - a placeholder, nothing binds to it


class EncryptingMFAAdapter(DefaultMFAAdapter):
    """The second factor: seeds and recovery codes are kept encrypted."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _lazy("Your role needs a second factor, so it cannot be turned off."),
        "cannot_generate_recovery_codes": _lazy("Set up the second factor first."),
        "incorrect_code": _lazy("The code is not right. It changes every half minute; enter the one shown now."),
    }

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not while the user's role needs one."""
        role = authenticator.user.role
        return authenticator.type != Authenticator.Type.TOTP or role not in roles_with_required_mfa()

    def encrypt(self, text: str) -> str:
        return crypto.fernet("second factors").encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret; after a change of SECRET_KEY one drawn by lot, since an empty one would make codes guessable."""
        try:
            return crypto.fernet("second factors").decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_totp_issuer(self) -> str:
        return str(_("Support desk"))
