"""Reading customers: the gate, the survivor of merges, identities."""

from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from channels_app.models import Media
from helpdesk.core.actor import Actor
from helpdesk.core.errors import NotFound
from tickets.customers import normalize
from tickets.models import BlockedSender, Customer, Identity, IdentityClaim, Ticket

MAX_HOPS = 10
_FAMILIES = """
WITH RECURSIVE family (root, id) AS (
    SELECT id, id FROM tickets_customer WHERE id = ANY(%s)
    UNION
    SELECT family.root, customer.id FROM tickets_customer customer JOIN family ON customer.canonical_id = family.id)
SELECT root, id FROM family
"""


def normal(kind: str, value: str) -> str:
    """The normal form of an address of this kind, as it is stored; numbers without a country belong to the shop's."""
    return normalize.identity(kind, value, settings.PHONE_REGION)


def forms(kind: str, value: str) -> tuple[str, ...]:
    """Every value an address may be stored under, its normal form first."""
    return normalize.forms(kind, value, settings.PHONE_REGION)


def customers(actor: Actor) -> QuerySet[Customer]:
    """The customers an actor may know: those with a ticket the actor may see; everyone for admins and machines."""
    found = Customer.objects.all()
    if actor.is_machine or actor.is_admin:
        return found
    if not actor.is_user:
        return found.filter(pk=actor.id or 0) if actor.kind == "customer" else found.none()
    seen = Ticket.objects.filter(Q(team_id__in=actor.team_ids) | Q(team__isnull=True), customer=OuterRef("pk"))
    return found.filter(Exists(seen) | ~Exists(Ticket.objects.filter(customer=OuterRef("pk"))))


def customer_for(actor: Actor, customer_id: int | str, *, lock: bool = False) -> Customer:
    """The customer if the actor may know them; raises NotFound. With lock=True the row is locked."""
    found = customers(actor)
    if lock:
        found = Customer.objects.select_for_update(no_key=True).filter(pk__in=found.values("pk"))
    try:
        return found.get(pk=int(customer_id))
    except (Customer.DoesNotExist, ValueError, TypeError, OverflowError):
        raise NotFound from None


def survivor(customer: Customer) -> Customer:
    """Who this customer is now, following merges."""
    for _ in range(MAX_HOPS):
        if customer.canonical_id is None:
            break
        customer = Customer.objects.get(pk=customer.canonical_id)
    return customer


def family(customer_id: int) -> list[int]:
    """The customer and everyone merged into them, directly or not."""
    found, frontier = [customer_id], [customer_id]
    while frontier:
        frontier = list(Customer.objects.filter(canonical__in=frontier).values_list("pk", flat=True))
        found += frontier
    return found


def identities(customer_id: int) -> QuerySet[Identity]:
    """Every address of a customer, also those that came by merging, oldest first."""
    return addresses(family(customer_id))


def addresses(people: list[int]) -> QuerySet[Identity]:
    """Every address of these people, oldest first."""
    return Identity.objects.filter(customer__in=people).order_by("pk")


def identities_of(customer_ids: list[int]) -> dict[int, list[Identity]]:
    """Every address of these customers, also those that came by merging, oldest first: two statements however many."""
    whose: dict[int, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_FAMILIES, [customer_ids])
        for root, member in cursor.fetchall():
            whose.setdefault(member, []).append(root)
    found: dict[int, list[Identity]] = {customer_id: [] for customer_id in customer_ids}
    for identity in Identity.objects.filter(customer__in=whose).order_by("pk"):
        for root in whose[identity.customer_id]:
            found[root].append(identity)
    return found


def merged_into(people: list[int]) -> QuerySet[Customer]:
    """Whoever was merged away among these, latest first."""
    return Customer.objects.filter(pk__in=people, canonical__isnull=False).order_by("-pk")


def unproved_claims(people: list[int]) -> QuerySet[IdentityClaim]:
    """Addresses that these people say are theirs and that no code has proved yet, oldest first."""
    return IdentityClaim.objects.filter(customer__in=people, confirmed_at__isnull=True).order_by("pk")


def identity_of(actor: Actor, customer_id: int | str, identity_id: int | str) -> Identity:
    """One address of a customer the actor may know; raises NotFound."""
    return _one_of(addresses(family(customer_for(actor, customer_id).pk)), identity_id)


def claim_of(actor: Actor, customer_id: int | str, claim_id: int | str) -> IdentityClaim:
    """One unproved claim of a customer the actor may know; raises NotFound."""
    return _one_of(unproved_claims(family(customer_for(actor, customer_id).pk)), claim_id)


def identity_named(customer_id: int, kind: str, value: str) -> Identity:
    """The address of this customer under any key it may have been stored by; raises NotFound."""
    found = identities(customer_id).filter(kind=kind, value__in=forms(kind, value)).first()
    if found is None:
        raise NotFound
    return found


def _one_of(rows: QuerySet[Any], row_id: int | str) -> Any:
    found = rows.filter(pk=int(row_id)).first()
    if found is None:
        raise NotFound
    return found


def picture_of(actor: Actor, customer_id: int | str) -> Media:
    """The picture of a customer the actor may know; raises NotFound without one that is kept."""
    found = customer_for(actor, customer_id).picture
    if found is None or found.state != Media.State.KEPT:
        raise NotFound
    return found


def searched(actor: Actor, typed: str) -> QuerySet[Customer]:
    """Customers the actor may know by part of a name, a whole address in any form, or #number; no merged ones."""
    typed = typed.strip()[:200]
    found = customers(actor).filter(canonical__isnull=True)
    if not typed:
        return found.none()
    ways = {typed, normal("email", typed), *forms("phone", typed)} - {""}
    has_it = Identity.objects.filter(value__in=ways).values("customer")
    number = typed.removeprefix("#")
    by_number = Q(pk=int(number)) if number.isdecimal() and len(number) < 10 else Q(pk__in=[])
    owners = family_roots(has_it)
    return found.filter(Q(name__icontains=typed) | Q(pk__in=owners) | by_number).order_by("-updated_at", "-pk")


def namesakes(actor: Actor, customer: Customer) -> QuerySet[Customer]:
    """Other customers of the very same name, latest first; nobody for one without a name."""
    found = customers(actor).filter(canonical__isnull=True, name=customer.name).exclude(pk=customer.pk)
    return found.order_by("-updated_at", "-pk") if customer.name else found.none()


def family_roots(customer_ids: Any) -> set[int]:
    """Who these customers are now, following merges."""
    return {survivor(one).pk for one in Customer.objects.filter(pk__in=customer_ids)}


def blocked() -> QuerySet[BlockedSender]:
    """Every address we do not listen to."""
    return BlockedSender.objects.all()


def block_of(kind: str, value: str) -> BlockedSender | None:
    """The block on this address, if there is one."""
    return BlockedSender.objects.filter(kind=kind, value=value).first()


def blocked_senders(actor: Actor) -> QuerySet[BlockedSender]:
    """Whom we do not listen to, latest first; for supervisors and admins, nobody for others."""
    found = BlockedSender.objects.select_related("blocked_by").order_by("-pk")
    return found if actor.is_supervisor else found.none()


def is_blocked(kind: str, value: str) -> bool:
    """Whether messages from this address go to spam."""
    return BlockedSender.objects.filter(kind=kind, value=value).exists()
