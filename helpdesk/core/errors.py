"""What can go wrong: refusals of the domain, and how a job's attempt ended."""

from typing import Any

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal. Every surface shows it in its own way: one shape in the API, a toast on a screen."""

    code = "refused"
    status = 400
    message: Any = _("This cannot be done.")

    def __init__(self, message: Any = "", *, fields: dict[str, Any] | None = None) -> None:
        if message:
            self.message = message
        self.fields = fields or {}
        super().__init__(str(self.message))


class NotFound(DomainError):
    """It is not there, or it is not yours: the two are never told apart."""

    code, status, message = "not_found", 404, _("There is nothing here, or you have no access to it.")


class NotAllowed(DomainError):
    code, status, message = "not_allowed", 403, _("Your role does not allow this.")


class Invalid(DomainError):
    """Well formed, but it makes no sense. `fields` says where."""

    code, status, message = "invalid", 422, _("Please check what you entered.")


class Conflict(DomainError):
    code, status, message = "conflict", 409, _("Something has changed meanwhile.")


class StaleVersion(Conflict):
    """The thread has moved since it was read. `fields` holds the present version and what is new."""

    code, message = "stale_version", _("The conversation has moved on. Look at what is new, then send again.")


class TicketClosed(Conflict):
    code, message = "ticket_closed", _("This ticket is closed.")


class TooLarge(DomainError):
    code, status, message = "too_large", 413, _("This is too large.")


class TooMany(DomainError):
    code, status, message = "too_many_requests", 429, _("Too many requests. Try again in a moment.")


class Retry(Exception):
    """Try again later: the other side is busy or unreachable, and nothing left the house."""

    def __init__(self, reason: str, *, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class GiveUp(Exception):
    """Trying again cannot help."""


class Uncertain(GiveUp):
    """It may have reached the customer: never repeated blindly."""


class Reauthorise(GiveUp):
    """The other side no longer accepts our keys: somebody has to sign in there again. Nothing left the house."""


class LostLease(Exception):
    """Another worker took this job over; drop what we did."""
