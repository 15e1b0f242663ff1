"""Customers: recognised by proof, changed, blocked and let in again."""

from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app.contracts import Address
from channels_app.models import Channel
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, NotFound, Retry
from helpdesk.core.recorder import record
from helpdesk.core.rows import insert
from tickets.customers import suggestions
from tickets.customers.merging import merge, touch
from tickets.customers.queries import customer_for, forms, normal, survivor
from tickets.events import (
    CustomerChanged,
    IdentityVerified,
    SenderBlocked,
    SenderUnblocked,
)
from tickets.models import BlockedSender, Customer, Identity, IdentityClaim, Ticket

CHANNELS = (*Channel.Kind.values, "phone")  # by which somebody may like to be answered
ADDABLE = ("email", "phone")  # what somebody at the desk may add; all others come with proof of their own
MAX_TRIES = 5
_SYSTEM = Actor.system()
EDITABLE = ("name", "language", "form_of_address", "tier", "tags", "notes", "preferred_channel")
_INSERT = """
INSERT INTO tickets_identity AS made (customer_id, kind, scope, value, name, verified_at, evidence, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
RETURNING id,
    CASE WHEN made.kind IN ('email', 'phone') THEN EXISTS (
        SELECT 1 FROM tickets_identityclaim claim WHERE claim.kind = made.kind AND claim.value = made.value
    ) ELSE false END,
    CASE WHEN made.name <> '' AND made.kind NOT IN ('email', 'phone', 'webchat') THEN EXISTS (
        SELECT 1 FROM tickets_identity other WHERE other.kind = made.kind AND other.scope = made.scope
        AND other.name = made.name AND other.name <> ''
    ) ELSE false END
"""


def resolve(*, address: Address, also_known: tuple[Address, ...] = (), language: str = "") -> Customer:
    """Who writes from this address: known or new, locked, so that fifty first messages open one ticket.

    Only verified further addresses join people; of the others it is asked whether they are one. The caller holds
    the transaction. `own_id` of the answer is who they were before any merge.
    """
    identity = _identity(address) or _make(address, also_known, language)
    proved = [other for other in also_known if other.verified and normal(other.kind, other.value)]
    alone = identity.customer.is_fresh and not proved  # nobody else can see it yet
    customer = identity.customer if alone else _lock_everyone(identity, proved)
    if address.verified and identity.verified_at is None:
        verify(identity=identity, evidence=address.evidence)
    customer.writer_id = identity.customer_id
    for other in also_known:
        if other.verified:
            customer = prove(customer=customer, address=other)
        else:
            claim(customer_id=identity.customer_id, kind=other.kind, value=other.value)
    if not customer.name and address.name:
        customer.name = address.name[:200]
        customer.save(update_fields=["name"])
    return customer


def prove(*, customer: Customer, address: Address, actor: Actor = _SYSTEM) -> Customer:
    """A further address is proved to be this customer's: a new one is added, one of somebody else merges the two.

    The caller holds the transaction and the customer's lock. Returns who the customer is now, locked. A new address
    belongs to `own_id`: it leaves with them when a merge is taken back.
    """
    if not normal(address.kind, address.value):
        return customer
    known = _identity(address)
    if known is None:
        if not _insert(_unsaved(customer.own_id, address)):
            raise Retry(gettext_noop("the address was just made by another message"), after=0.05)
        return customer
    if known.verified_at is None:
        verify(identity=known, evidence=address.evidence, actor=actor)
    keeper = survivor(known.customer)
    if keeper.pk == customer.pk:
        return customer
    merge(survivor_id=keeper.pk, loser_id=customer.pk, actor=Actor.system(), evidence=address.evidence)
    found = Customer.objects.get(pk=keeper.pk)  # locked by merge
    found.writer_id = customer.writer_id
    return found


def claim(*, customer_id: int, kind: str, value: str) -> IdentityClaim | None:
    """Remember an address that somebody only says is theirs, in the caller's transaction. None for an empty one.

    Joins nobody: the first time it is asked whether they are whoever has it.
    """
    value = normal(kind, value)[:255]
    if not value:
        return None
    made, fresh = IdentityClaim.objects.get_or_create(customer_id=customer_id, kind=kind, value=value)
    if fresh:
        suggestions.compare(customer_id=customer_id, kind=kind, value=value)
    return made


def learn_name(*, customer_id: int, kind: str, value: str, name: str) -> None:
    """The provider says what the owner of an address is called, in the caller's transaction; nothing is overwritten.

    A namesake on the same line is asked about.
    """
    for identity in Identity.objects.filter(customer=customer_id, kind=kind, value=value, name=""):
        identity.name = name[:200]
        identity.save(update_fields=["name"])
        suggestions.compare_names(identity)


def verify(*, identity: Identity, evidence: str, actor: Actor = _SYSTEM) -> None:
    """An address has been proved, in the caller's transaction."""
    identity.verified_at, identity.evidence = now(), evidence[:60]
    unproved = Identity.objects.filter(pk=identity.pk, verified_at__isnull=True)
    if not unproved.update(verified_at=identity.verified_at, evidence=identity.evidence):
        return  # another message proved it meanwhile
    event = IdentityVerified(customer_id=identity.customer_id, identity_id=identity.pk, evidence=evidence[:60])
    record(event, actor=actor)


def change(*, customer_id: int | str, actor: Actor, **fields: Any) -> Customer:
    """Edit what the desk knows about a customer."""
    unknown = set(fields) - set(EDITABLE)
    if unknown:
        raise Invalid(fields=dict.fromkeys(unknown, "unknown"))
    if fields.get("preferred_channel") not in (None, "", *CHANNELS):
        raise Invalid(fields={"preferred_channel": "unknown"})
    with transaction.atomic():
        customer = customer_for(actor, customer_id, lock=True)
        changed = [name for name, value in fields.items() if getattr(customer, name) != value]
        if not changed:
            return customer
        for name in changed:
            setattr(customer, name, fields[name])
        touch(customer, *changed)
        if "name" in changed:
            theirs = Ticket.objects.filter(customer=customer)
            list(theirs.select_for_update(no_key=True).order_by("pk").values_list("pk"))  # in the one order
            theirs.update(customer_name=customer.name)
        record(CustomerChanged(customer_id=customer.pk, fields=changed), actor=actor)
    return customer


def make(*, name: str, actor: Actor) -> Customer:
    """A customer of whom only the name is known, in the caller's transaction: somebody who stood in the shop."""
    customer = Customer(name=name[:200])
    insert(customer)
    record(CustomerChanged(customer_id=customer.pk, fields=["name"]), actor=actor)
    return customer


def add_address(*, customer_id: int | str, kind: str, value: str, actor: Actor) -> Identity:
    """An address somebody at the desk knows to be the customer's; not verified. Conflict when it is somebody else's."""
    if kind not in ADDABLE or not normal(kind, value):
        raise Invalid(fields={"value": "empty"} if kind in ADDABLE else {"kind": "unknown"})
    with transaction.atomic():
        customer = customer_for(actor, customer_id, lock=True)
        address = Address(kind=kind, value=value)
        known = _identity(address)
        if known is None:
            known = _unsaved(customer.pk, address)
            if not _insert(known):
                raise Conflict(fields={"value": "taken"})
            touch(customer)
            record(CustomerChanged(customer_id=customer.pk, fields=["identities"]), actor=actor)
        elif survivor(known.customer).pk != customer.pk:
            raise Conflict(fields={"value": "taken"})
    return known


def say(*, customer_id: int | str, kind: str, value: str, actor: Actor) -> IdentityClaim:
    """The customer says that an address is theirs which somebody else has: remembered, and asked about."""
    if kind not in ADDABLE or not normal(kind, value):
        raise Invalid(fields={"value": "empty"} if kind in ADDABLE else {"kind": "unknown"})
    with transaction.atomic():
        customer = customer_for(actor, customer_id, lock=True)
        made = claim(customer_id=customer.pk, kind=kind, value=value)
        assert made is not None
        record(CustomerChanged(customer_id=customer.pk, fields=["identities"]), actor=actor)
    return made


def block(*, kind: str, value: str, actor: Actor, reason: str = "") -> BlockedSender:
    """Messages from this address go to spam from now on. Blocking twice is once."""
    value = normal(kind, value)
    if not value:
        raise Invalid(fields={"value": "empty"})
    with transaction.atomic():
        blocked, fresh = BlockedSender.objects.get_or_create(
            kind=kind, value=value, defaults={"reason": reason[:200], "blocked_by_id": actor.id}
        )
        if fresh:
            identity = Identity.objects.filter(kind=kind, value=value).first()
            customer_id = identity.customer_id if identity else 0
            record(SenderBlocked(customer_id=customer_id, blocked_id=blocked.pk), actor=actor)
    return blocked


def unblock(*, blocked_id: int | str, actor: Actor) -> None:
    """Listen to this address again."""
    with transaction.atomic():
        try:
            blocked = BlockedSender.objects.select_for_update().get(pk=int(blocked_id))
        except (BlockedSender.DoesNotExist, ValueError, TypeError, OverflowError):
            raise NotFound from None
        identity = Identity.objects.filter(kind=blocked.kind, value=blocked.value).first()
        blocked.delete()
        record(SenderUnblocked(customer_id=identity.customer_id if identity else 0), actor=actor)


def _identity(address: Address) -> Identity | None:
    """The identity of this address under any key it may have been stored by; its normal form before all others."""
    ways = forms(address.kind, address.value)
    known = Identity.objects.select_related("customer").filter(kind=address.kind, scope=address.scope, value__in=ways)
    return min(known, key=lambda one: ways.index(one.value), default=None)


def _make(address: Address, also_known: tuple[Address, ...], language: str) -> Identity:
    """A new address: of somebody already known by a verified one, else of a new customer."""
    proved = next((found for other in also_known if other.verified and (found := _identity(other))), None)
    customer = proved.customer if proved else Customer(name=address.name[:200], language=language)
    if proved is None:
        insert(customer)
        customer.is_fresh = True
    made = _unsaved(customer.pk, address)
    made.customer = customer
    if _insert(made):
        return made
    # Somebody else's first message from this address won and is committed: ours joins it.
    if proved is None:
        customer.delete()
    found = _identity(address)
    if found is None:
        raise Retry(gettext_noop("the address was just made by another message"), after=0.05)
    return found


def _unsaved(customer_id: int, address: Address) -> Identity:
    """The row of a new address. A telephone number keeps the form in which it was given."""
    value = normal(address.kind, address.value)
    as_given = address.value.strip() if address.kind == "phone" and address.value.strip() != value else ""
    return Identity(
        customer_id=customer_id,
        kind=address.kind,
        scope=address.scope,
        value=value,
        name=(address.name or as_given)[:200],
        verified_at=now() if address.verified else None,
        evidence=address.evidence[:60],
    )


def _insert(made: Identity) -> bool:
    """Write a new address unless it is there: False then. Whoever may be the same person is asked about at once.

    Whether there is anybody to ask about comes with the very statement that writes it.
    """
    row = (made.customer_id, made.kind, made.scope, made.value, made.name, made.verified_at, made.evidence)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*row, made.created_at])
        found = cursor.fetchone()
    if found is None:
        return False
    made.pk, is_claimed, has_namesake = found
    made._state.adding, made._state.db = False, connection.alias
    if is_claimed:
        suggestions.compare(customer_id=made.customer_id, kind=made.kind, value=made.value)
    if has_namesake:
        suggestions.compare_names(made)
    return True


def _lock_everyone(identity: Identity, proved: list[Address]) -> Customer:
    """Lock everybody whom this message may join, in the order of their ids; returns who writes.

    They are looked up without a lock first: whoever was merged away meanwhile is looked up once more.
    """
    for attempt in range(MAX_TRIES):
        writer = survivor(Customer.objects.get(pk=identity.customer_id) if attempt else identity.customer)
        others = [survivor(known.customer) for other in proved if (known := _identity(other))]
        ids = {writer.pk, *(other.pk for other in others)}
        before = transaction.savepoint() if proved else None  # going back to it lets the locks go
        found = Customer.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        locked = {customer.pk: customer for customer in found}
        if all(customer.canonical_id is None for customer in locked.values()):
            return locked[writer.pk]
        if before:
            transaction.savepoint_rollback(before)
    raise Retry(gettext_noop("the customer is being merged again and again"), after=1)
