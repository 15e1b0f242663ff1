"""An address somebody says is theirs, and the code that proves it."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels_app import outbound
from channels_app.contracts import Address, OutboundEnvelope
from channels_app.models import Channel
from helpdesk.core import crypto
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, NotFound, TooMany
from helpdesk.core.recorder import record
from tickets.customers import actions
from tickets.customers.queries import customer_for, family, family_roots, forms, normal, survivor
from tickets.events import CodeSent, IdentityVerified
from tickets.models import Customer, Identity, IdentityClaim

CODE_LIFE = timedelta(minutes=15)
MAX_TRIES = 5
WINDOW = timedelta(hours=1)
MAX_CODES = 5  # to one address within the window, whoever asks
_CHAT_WORDS = gettext_noop(
    "Your code is %(code)s. Enter it in the chat within 15 minutes, and our answers reach you by "
    "e-mail when you have left.\n\nIf you did not ask for this, you need not do anything."
)
_DESK_WORDS = gettext_noop(
    "Your code is %(code)s. Tell it to whoever of us you are talking with, within 15 minutes: "
    "then we know that this address is yours.\n\nIf you are not talking with us now, tell it to nobody."
)


def send_code(*, visitor: Address, email: str, language: str) -> None:
    """Send a six-digit code to the address a visitor of the chat gives, in the given language. Joins nobody yet.

    Raises Invalid for what is no address, TooMany when the address was sent enough codes lately.
    """
    value = _checked("email", email)
    with transaction.atomic():
        customer_id = _own_customer(visitor)
        _issue(customer_id, "email", value, language, _CHAT_WORDS)


def confirm_code(*, visitor: Address, email: str, code: str) -> None:
    """The code came back: the address is the visitor's, proved, and joins them to whoever has it already.

    Raises Invalid for a wrong, used or expired code, TooMany after five wrong ones.
    """
    identity = _identity(visitor)
    if not identity or not _try(visitor, identity.customer_id, normal("email", email), code):
        raise Invalid(_("This code is wrong or has expired."), fields={"code": "wrong"})


def send(*, customer_id: int | str, kind: str, value: str, actor: Actor) -> IdentityClaim:
    """Somebody at the desk sends a code to an address that this customer has or says to have, in their language.

    By e-mail, or by SMS where such a channel is set up. Raises NotFound for an address that is not theirs to prove,
    Conflict for one that is proved or cannot be written to, TooMany when it was sent enough codes lately.
    """
    value = _checked(kind, value)
    with transaction.atomic():
        customer = customer_for(actor, customer_id, lock=True)
        owner_id = _owner(family(customer.pk), kind, value)
        if problem := why_not(kind):
            raise Conflict(problem, fields={"channel": "none"})
        claim = _issue(owner_id, kind, value, customer.language, _DESK_WORDS)
        record(CodeSent(customer_id=customer.pk, claim_id=claim.pk, kind=kind), actor=actor)
    return claim


def confirm(*, customer_id: int | str, kind: str, value: str, code: str, actor: Actor) -> Customer:
    """The customer read the code back: the address is proved theirs, and joins them to whoever has it already.

    Returns who the customer is now. Raises Invalid for a wrong, used or expired code, TooMany after five wrong ones.
    """
    value = normal(kind, value)
    with transaction.atomic():
        customer = customer_for(actor, customer_id)
        claim = _claims(family(customer.pk), kind, value).first()
        fits = claim is not None and _fits(claim, code)
        if claim is not None and fits:
            customer = _prove(customer, claim, actor)
    if not fits:
        raise Invalid(_("This code is wrong or has expired."), fields={"code": "wrong"})
    return customer


def why_not(kind: str) -> str:
    """Why no code can be sent to an address of this kind now, in words; empty when one can."""
    if kind == "email":
        return ""
    if kind != "phone":
        return _("Only e-mail addresses and telephone numbers can be proved by a code.")
    channel = _sms()
    if channel is None:
        return _("A code goes to a telephone by SMS, and no SMS channel is set up.")
    return _("The SMS channel does not work now: sign in to it again.") if channel.problem_kind == "auth" else ""


def mail_address(*, visitor: Address) -> str:
    """The newest address this very visitor proved by a code; empty when there is none."""
    identity = _identity(visitor)
    if identity is None:
        return ""
    proved = IdentityClaim.objects.filter(customer_id=identity.customer_id, kind="email", confirmed_at__isnull=False)
    return proved.order_by("-confirmed_at").values_list("value", flat=True).first() or ""


@transaction.atomic
def _try(visitor: Address, customer_id: int, value: str, code: str) -> bool:
    """Whether the code fits. A wrong try is counted, so this must commit either way."""
    claim = _claims([customer_id], "email", value).first()
    if claim is None or not _fits(claim, code):
        return False
    customer = actions.resolve(address=visitor)
    actions.prove(customer=customer, address=Address(kind="email", value=value, verified=True, evidence="code"))
    return True


def _claims(people: list[int], kind: str, value: str) -> QuerySet[IdentityClaim]:
    """These people's claims to the address that a code was sent for, locked, latest code first."""
    mine = IdentityClaim.objects.filter(customer__in=people, kind=kind, value=value).exclude(code_digest="")
    return mine.select_for_update(no_key=True).order_by("-code_sent_at")


def _fits(claim: IdentityClaim, code: str) -> bool:
    """Use the code up, or count a wrong try, on a locked claim."""
    if not claim.code_digest or not claim.code_expires_at or claim.code_expires_at < now():
        return False
    if claim.tries >= MAX_TRIES:
        raise TooMany(_("Too many wrong codes. Ask for a new one."))
    if not hmac.compare_digest(claim.code_digest, _digest(claim, code.strip())):
        claim.tries += 1
        claim.save(update_fields=["tries"])
        return False
    claim.code_digest, claim.confirmed_at = "", now()
    claim.save(update_fields=["code_digest", "confirmed_at"])
    return True


def _prove(customer: Customer, claim: IdentityClaim, actor: Actor) -> Customer:
    """The claimed address is this customer's, or whoever they prove to be."""
    address = Address(kind=claim.kind, value=claim.value, verified=True, evidence="code")
    held = Identity.objects.filter(kind=claim.kind, scope="", value__in=forms(claim.kind, claim.value))
    roots = {survivor(customer).pk, *family_roots(held.values("customer"))}
    locked = Customer.objects.select_for_update(no_key=True).filter(pk__in=roots).order_by("pk").in_bulk()
    found = locked[survivor(customer).pk]
    if found.canonical_id is not None:
        raise Conflict  # merged at this very moment
    found.writer_id = claim.customer_id
    is_new = not held.exists()
    found = actions.prove(customer=found, address=address, actor=actor)
    made = held.first() if is_new else None
    if made is not None:
        record(IdentityVerified(customer_id=made.customer_id, identity_id=made.pk, evidence="code"), actor=actor)
    return found


def _owner(people: list[int], kind: str, value: str) -> int:
    """Which of these people the address is to be proved for: who has it, else who claims it."""
    known = Identity.objects.filter(customer__in=people, kind=kind, value__in=forms(kind, value)).first()
    if known is not None and known.verified_at is not None:
        raise Conflict(_("This address is proved already."), fields={"value": "verified"})
    claimed = IdentityClaim.objects.filter(customer__in=people, kind=kind, value=value, confirmed_at__isnull=True)
    owner = known or claimed.first()
    if owner is None:
        raise NotFound
    return owner.customer_id


def _checked(kind: str, value: str) -> str:
    """The address in its normal form; raises Invalid for what nothing can be sent to."""
    value = normal(kind, value)
    try:
        if kind == "email":
            validate_email(value)
    except ValidationError:
        raise Invalid(_("This is not an e-mail address."), fields={"email": "not_an_address"}) from None
    if kind == "phone" and not value.startswith("+"):
        raise Invalid(_("This is not a telephone number."), fields={"phone": "not_a_number"})
    return value


def _issue(customer_id: int, kind: str, value: str, language: str, words: str) -> IdentityClaim:
    """A fresh code on its way to the address; the one before it is void. Raises TooMany. The caller's transaction."""
    code = f"{secrets.randbelow(10**6):06d}"
    mine = actions.claim(customer_id=customer_id, kind=kind, value=value)
    assert mine is not None
    # Locked together, so that many requests at once cannot send more than the limit.
    claims = list(IdentityClaim.objects.select_for_update().filter(kind=kind, value=value).order_by("pk"))
    lately = [claim for claim in claims if claim.code_sent_at and claim.code_sent_at > now() - WINDOW]
    if sum(claim.codes_sent for claim in lately) >= MAX_CODES:
        raise TooMany
    claim = next(claim for claim in claims if claim.pk == mine.pk)
    claim.codes_sent = claim.codes_sent + 1 if claim in lately else 1
    claim.code_sent_at, claim.code_expires_at, claim.tries = now(), now() + CODE_LIFE, 0
    claim.code_digest = _digest(claim, code)
    claim.save()
    with translation.override(language or settings.LANGUAGE_CODE):
        text = _(words) % {"code": code}
        if kind == "email":
            send_mail(_("%(code)s is your code") % {"code": code}, text, None, [value])
        else:
            _text(value, text)
    return claim


def _text(number: str, text: str) -> None:
    channel = _sms()
    assert channel is not None
    envelope = OutboundEnvelope(idempotency_key="", to=number, text=text, thread_key=number, auto=True)
    outbound.enqueue(channel_id=channel.pk, message_id=None, envelope=envelope)


def _sms() -> Channel | None:
    return Channel.objects.filter(kind=Channel.Kind.SMS, is_active=True).order_by("created_at").first()


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
