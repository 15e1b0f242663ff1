"""Why a visitor is refused."""

from django.utils.translation import gettext_lazy as _

from helpdesk.core.errors import DomainError, NotAllowed


class NoVisitor(DomainError):
    """The token is missing, damaged, too old or of another channel."""

    code, status, message = "not_authenticated", 401, _("This chat session has ended. Start a new one.")


class WrongProof(NotAllowed):
    """The host site's signature does not fit what it is said to have signed."""

    code, message = "wrong_proof", _("The proof of identity is wrong.")


class OriginRefused(NotAllowed):
    """A page that is not on the channel's list."""

    code, message = "origin_not_allowed", _("This website may not use this chat.")


class Unreadable(DomainError):
    """The body is not what it says it is."""

    code, message = "bad_request", _("The request could not be understood.")
