"""Customers: recognised by proof, merged by an edge that can be taken back, blocked and let in again."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from channels_app.contracts import Address
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, Invalid, NotFound, Retry
from helpdesk.core.recorder import record
from helpdesk.core.rows import insert, insert_unless_there
from tickets.customers import normalize
from tickets.customers.queries import customer_for, survivor
from tickets.events import (
    CustomerChanged,
    CustomersMerged,
    CustomersUnmerged,
    IdentityVerified,
    SenderBlocked,
    SenderUnblocked,
)
from tickets.models import BlockedSender, Customer, Identity, IdentityClaim, Ticket

ADDABLE = ("email", "phone")  # what somebody at the desk may add; all others come with proof of their own
MAX_TRIES = 5
EDITABLE = ("name", "language", "form_of_address", "tier", "tags", "notes")


def resolve(*, address: Address, also_known: tuple[Address, ...] = (), language: str = "") -> Customer:
    """Who writes from this address: known or new, locked, so that fifty first messages open one ticket.

    Only verified further addresses join people. The caller holds the transaction.
    """
    identity = _identity(address) or _make(address, also_known, language)
    proved = [other for other in also_known if other.verified]
    alone = identity.customer.is_fresh and not proved  # nobody else can see it yet
    customer = identity.customer if alone else _lock_everyone(identity, proved)
    if address.verified and identity.verified_at is None:
        verify(identity=identity, evidence=address.evidence)
    for other in also_known:
        if other.verified:
            customer = prove(customer=customer, address=other)
        else:
            claim(customer_id=identity.customer_id, kind=other.kind, value=other.value)
    if not customer.name and address.name:
        customer.name = address.name[:200]
        customer.save(update_fields=["name"])
    return customer


def prove(*, customer: Customer, address: Address) -> Customer:
    """A further address is proved to be this customer's: a new one is added, one of somebody else merges the two.

    The caller holds the transaction and the customer's lock. Returns who the customer is now, locked.
    """
    known = _identity(address)
    if known is None:
        _add(customer, address)
        return customer
    if known.verified_at is None:
        verify(identity=known, evidence=address.evidence)
    keeper = survivor(known.customer)
    if keeper.pk == customer.pk:
        return customer
    merge(survivor_id=keeper.pk, loser_id=customer.pk, actor=Actor.system(), evidence=address.evidence)
    return Customer.objects.get(pk=keeper.pk)  # locked by merge


def claim(*, customer_id: int, kind: str, value: str) -> IdentityClaim | None:
    """Remember an address that somebody only says is theirs. Joins nobody; None for an empty one."""
    value = normalize.identity(kind, value)[:255]
    if not value:
        return None
    return IdentityClaim.objects.get_or_create(customer_id=customer_id, kind=kind, value=value)[0]


def verify(*, identity: Identity, evidence: str) -> None:
    """An address has been proved, in the caller's transaction."""
    identity.verified_at, identity.evidence = now(), evidence[:60]
    unproved = Identity.objects.filter(pk=identity.pk, verified_at__isnull=True)
    if not unproved.update(verified_at=identity.verified_at, evidence=identity.evidence):
        return  # another message proved it meanwhile
    event = IdentityVerified(customer_id=identity.customer_id, identity_id=identity.pk, evidence=evidence[:60])
    record(event, actor=Actor.system())


def change(*, customer_id: int | str, actor: Actor, **fields: Any) -> Customer:
    """Edit what the desk knows about a customer."""
    unknown = set(fields) - set(EDITABLE)
    if unknown:
        raise Invalid(fields=dict.fromkeys(unknown, "unknown"))
    with transaction.atomic():
        customer = customer_for(actor, customer_id, lock=True)
        changed = [name for name, value in fields.items() if getattr(customer, name) != value]
        if not changed:
            return customer
        for name in changed:
            setattr(customer, name, fields[name])
        _save(customer, *changed)
        if "name" in changed:
            theirs = Ticket.objects.filter(customer=customer)
            list(theirs.select_for_update(no_key=True).order_by("pk").values_list("pk"))  # in the one order
            theirs.update(customer_name=customer.name)
        record(CustomerChanged(customer_id=customer.pk, fields=changed), actor=actor)
    return customer


def add_address(*, customer_id: int | str, kind: str, value: str, actor: Actor) -> Identity:
    """An address somebody at the desk knows to be the customer's; not verified. Conflict when it is somebody else's."""
    value = normalize.identity(kind, value)
    if kind not in ADDABLE or not value:
        raise Invalid(fields={"value": "empty"} if kind in ADDABLE else {"kind": "unknown"})
    with transaction.atomic():
        customer = customer_for(actor, customer_id, lock=True)
        address = Address(kind=kind, value=value)
        known = _identity(address)
        if known is None:
            try:
                with transaction.atomic():
                    known = _add(customer, address)
            except IntegrityError:
                raise Conflict(fields={"value": "taken"}) from None
            _save(customer)
            record(CustomerChanged(customer_id=customer.pk, fields=["identities"]), actor=actor)
        elif known.customer_id != customer.pk:
            raise Conflict(fields={"value": "taken"})
    return known


def merge(*, survivor_id: int | str, loser_id: int | str, actor: Actor, evidence: str = "agent") -> Customer:
    """Two customers are one person: the loser points at the survivor. Both rows, and all addresses, stay."""
    try:
        ids = sorted({int(survivor_id), int(loser_id)})  # one order, so that two merges cannot deadlock
    except (TypeError, ValueError):
        raise NotFound from None
    with transaction.atomic():
        for customer_id in ids:
            customer_for(actor, customer_id, lock=True)
        kept, lost = customer_for(actor, survivor_id), customer_for(actor, loser_id)
        if survivor(kept).pk == survivor(lost).pk:
            raise Conflict
        if lost.canonical_id is not None or kept.canonical_id is not None:
            raise Conflict
        lost.canonical = kept
        _save(lost, "canonical")
        record(CustomersMerged(customer_id=kept.pk, other_id=lost.pk, evidence=evidence), actor=actor)
    return kept


def unmerge(*, customer_id: int | str, actor: Actor) -> Customer:
    """Take a merge back: the customer stands alone again, with the addresses and messages that were theirs."""
    with transaction.atomic():
        customer = customer_for(actor, customer_id, lock=True)
        if customer.canonical_id is None:
            raise Conflict
        former = customer.canonical_id
        customer.canonical = None
        _save(customer, "canonical")
        record(CustomersUnmerged(customer_id=former, other_id=customer.pk), actor=actor)
    return customer


def block(*, kind: str, value: str, actor: Actor, reason: str = "") -> BlockedSender:
    """Messages from this address go to spam from now on. Blocking twice is once."""
    value = normalize.identity(kind, value)
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
    value = normalize.identity(address.kind, address.value)
    known = Identity.objects.select_related("customer")
    return next(iter(known.filter(kind=address.kind, scope=address.scope, value=value)), None)


def _make(address: Address, also_known: tuple[Address, ...], language: str) -> Identity:
    """A new address: of somebody already known by a verified one, else of a new customer."""
    proved = next((found for other in also_known if other.verified and (found := _identity(other))), None)
    customer = proved.customer if proved else Customer(name=address.name[:200], language=language)
    if proved is None:
        insert(customer)
        customer.is_fresh = True
    made = _unsaved(customer, address)
    if insert_unless_there(made):
        return made
    # Somebody else's first message from this address won and is committed: ours joins it.
    if proved is None:
        customer.delete()
    found = _identity(address)
    if found is None:
        raise Retry("the address was just made by another message", after=0.05)
    return found


def _add(customer: Customer, address: Address) -> Identity:
    made = _unsaved(customer, address)
    insert(made)
    return made


def _unsaved(customer: Customer, address: Address) -> Identity:
    return Identity(
        customer=customer,
        kind=address.kind,
        scope=address.scope,
        value=normalize.identity(address.kind, address.value),
        name=address.name[:200],
        verified_at=now() if address.verified else None,
        evidence=address.evidence[:60],
    )


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
    raise Retry("the customer is being merged again and again", after=1)


def _save(customer: Customer, *fields: str) -> None:
    customer.version += 1
    customer.updated_at = now()
    customer.save(update_fields=[*fields, "version", "updated_at"])
