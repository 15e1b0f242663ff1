"""Who is behind a session: the active user with teams and duties, in one query."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from helpdesk.accounts.models import User
from helpdesk.accounts.queries import user_with_rights


class DeskBackend(AuthenticationBackend):
    """allauth's sign-in; what every request reads of its user is loaded together with the user."""

    def get_user(self, user_id: Any) -> User | None:
        """The active user of a session, or None."""
        return user_with_rights(user_id)
