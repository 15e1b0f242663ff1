"""An address somebody says is theirs, and the code that proves it."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext as _

from channels_app.contracts import Address
from helpdesk.core import crypto
from helpdesk.core.errors import Invalid, TooMany
from tickets.customers import actions, normalize
from tickets.models import Identity, IdentityClaim

CODE_LIFE = timedelta(minutes=15)
MAX_TRIES = 5
WINDOW = timedelta(hours=1)
MAX_CODES = 5  # to one address within the window, whoever asks


def send_code(*, visitor: Address, email: str, language: str) -> None:
    """Send a six-digit code to the address, in the given language. Joins nobody yet.

    Raises Invalid for what is no address, TooMany when the address was sent enough codes lately.
    """
    value = normalize.email(email)
    try:
        validate_email(value)
    except ValidationError:
        raise Invalid(_("This is not an e-mail address."), fields={"email": "not_an_address"}) from None
    code = f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        customer_id = _own_customer(visitor)
        IdentityClaim.objects.get_or_create(customer_id=customer_id, kind="email", value=value)
        # Locked together, so that many requests at once cannot send more than the limit.
        claims = list(IdentityClaim.objects.select_for_update().filter(kind="email", value=value).order_by("pk"))
        lately = [claim for claim in claims if claim.code_sent_at and claim.code_sent_at > now() - WINDOW]
        if sum(claim.codes_sent for claim in lately) >= MAX_CODES:
            raise TooMany
        claim = next(claim for claim in claims if claim.customer_id == customer_id)
        claim.codes_sent = claim.codes_sent + 1 if claim in lately else 1
        claim.code_sent_at, claim.code_expires_at, claim.tries = now(), now() + CODE_LIFE, 0
        claim.code_digest = _digest(claim, code)
        claim.save()
        _mail(value, code, language)


def confirm_code(*, visitor: Address, email: str, code: str) -> None:
    """The code came back: the address is the visitor's, proved, and joins them to whoever has it already.

    Raises Invalid for a wrong, used or expired code, TooMany after five wrong ones.
    """
    if not _try(visitor, normalize.email(email), code):
        raise Invalid(_("This code is wrong or has expired."), fields={"code": "wrong"})


def mail_address(*, visitor: Address) -> str:
    """The newest address this very visitor proved by a code; empty when there is none."""
    identity = _identity(visitor)
    if identity is None:
        return ""
    proved = IdentityClaim.objects.filter(customer_id=identity.customer_id, kind="email", confirmed_at__isnull=False)
    return proved.order_by("-confirmed_at").values_list("value", flat=True).first() or ""


@transaction.atomic
def _try(visitor: Address, value: str, code: str) -> bool:
    """Whether the code fits. A wrong try is counted, so this must commit either way."""
    identity = _identity(visitor)
    claims = IdentityClaim.objects.select_for_update()
    claim = identity and claims.filter(customer_id=identity.customer_id, kind="email", value=value).first()
    if not identity or not claim or not claim.code_digest or not claim.code_expires_at or claim.code_expires_at < now():
        return False
    if claim.tries >= MAX_TRIES:
        raise TooMany(_("Too many wrong codes. Ask for a new one."))
    if not hmac.compare_digest(claim.code_digest, _digest(claim, code.strip())):
        claim.tries += 1
        claim.save(update_fields=["tries"])
        return False
    claim.code_digest, claim.confirmed_at = "", now()
    claim.save(update_fields=["code_digest", "confirmed_at"])
    customer = actions.resolve(address=visitor)
    actions.prove(customer=customer, address=Address(kind="email", value=value, verified=True, evidence="code"))
    return True


def _own_customer(visitor: Address) -> int:
    """The customer this address was first known as, before any merge: what it claims stays its own."""
    actions.resolve(address=visitor)
    identity = _identity(visitor)
    assert identity is not None
    return identity.customer_id


def _identity(address: Address) -> Identity | None:
    return Identity.objects.filter(kind=address.kind, scope=address.scope, value=address.value).first()


def _digest(claim: IdentityClaim, code: str) -> str:
    words = f"{claim.pk}:{claim.code_sent_at}:{code}"
    return hmac.new(crypto.key("claim codes"), words.encode(), hashlib.sha256).hexdigest()


def _mail(to: str, code: str, language: str) -> None:
    with translation.override(language):
        subject = _("%(code)s is your code") % {"code": code}
        text = _(
            "Your code is %(code)s. Enter it in the chat within 15 minutes, and our answers reach you by "
            "e-mail when you have left.\n\nIf you did not ask for this, you need not do anything."
        ) % {"code": code}
        send_mail(subject, text, None, [to])
