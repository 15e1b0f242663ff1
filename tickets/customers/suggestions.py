"""Customers who may be one person: asked once for each pair, decided by somebody at the desk."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, NotFound
from helpdesk.core.recorder import record
from helpdesk.core.rows import insert_unless_there
from tickets.customers import merging
from tickets.customers.queries import customer_for, family, forms, survivor
from tickets.events import MergeDecided, MergeSuggested
from tickets.models import BlockedSender, Customer, Identity, IdentityClaim, MergeSuggestion

State = MergeSuggestion.State
PEOPLE = 5  # whom one address may suggest; what more people than this share says nothing
_SYSTEM = Actor.system()


def suggest(*, customer_id: int, other_id: int, reason: str, actor: Actor = _SYSTEM) -> MergeSuggestion | None:
    """Ask whether two customers are one person, in the caller's transaction.

    None, and nothing asked, when they are one already, when it was ever asked of this pair (or of who they were
    before), and when one of them is blocked.
    """
    one, other = (survivor(found) for found in Customer.objects.filter(pk__in=(customer_id, other_id)).order_by("pk"))
    if one.pk == other.pk:
        return None
    mine, theirs = family(one.pk), family(other.pk)
    if MergeSuggestion.objects.filter(merging.between(mine, theirs)).exists() or _is_blocked([*mine, *theirs]):
        return None
    lower, higher = sorted((one.pk, other.pk))
    made = MergeSuggestion(customer_id=lower, other_id=higher, reason=reason)
    if not insert_unless_there(made):
        return None
    record(MergeSuggested(customer_id=lower, other_id=higher, reason=reason), actor=actor)
    return made


def compare(*, customer_id: int, kind: str, value: str) -> None:
    """Somebody has, or says to have, this address: ask about all others who have or claim it, in the transaction."""
    if kind not in ("email", "phone"):
        return
    ways = forms(kind, value)
    known = Identity.objects.filter(kind=kind, value__in=ways).exclude(customer=customer_id)
    who = {one.customer_id: "claimed" if one.verified_at else f"same_{kind}" for one in known[: PEOPLE + 1]}
    claims = IdentityClaim.objects.filter(kind=kind, value__in=ways).exclude(customer=customer_id).order_by("pk")
    for other_id in claims.values_list("customer_id", flat=True)[: PEOPLE + 1]:
        who.setdefault(other_id, f"same_{kind}")
    if len(who) <= PEOPLE:
        for other_id, reason in sorted(who.items()):
            suggest(customer_id=customer_id, other_id=other_id, reason=reason)


def compare_names(identity: Identity) -> None:
    """One more address on the same line whose owner bears the same full name; a name that several bear says nothing."""
    if " " not in identity.name.strip() or identity.kind in ("email", "phone", "webchat"):
        return
    same = Identity.objects.filter(kind=identity.kind, scope=identity.scope, name=identity.name)
    others = list(same.exclude(customer=identity.customer_id).values_list("customer_id", flat=True).distinct()[:2])
    if len(others) == 1:
        suggest(customer_id=identity.customer_id, other_id=others[0], reason="same_name")


def open_for(people: list[int]) -> QuerySet[MergeSuggestion]:
    """What is asked about a customer, named with all who were merged into them; oldest first."""
    asked = MergeSuggestion.objects.filter(Q(customer__in=people) | Q(other__in=people), state=State.OPEN)
    return asked.select_related("customer", "other").order_by("pk")


def other_of(suggestion: MergeSuggestion, people: list[int]) -> Customer:
    """Who the other one of a suggestion is now."""
    return survivor(suggestion.other if suggestion.customer_id in people else suggestion.customer)


def suggestions(customer_id: int | str, actor: Actor) -> list[tuple[MergeSuggestion, Customer]]:
    """The open questions about a customer with whom they concern, as far as the actor may know those."""
    return known_of(family(customer_for(actor, customer_id).pk), actor)


def known_of(people: list[int], actor: Actor) -> list[tuple[MergeSuggestion, Customer]]:
    """As suggestions, for a customer named with all who were merged into them."""
    found = [(one, other_of(one, people)) for one in open_for(people)]
    return [(one, other) for one, other in found if other.pk not in people and _knows(actor, other)]


def rows(ids: list[int]) -> QuerySet[MergeSuggestion]:
    """These suggestions."""
    return MergeSuggestion.objects.filter(pk__in=ids)


def other_in(*, customer_id: int | str, suggestion_id: int | str, actor: Actor) -> Customer:
    """Whom a suggestion about this customer concerns besides them; raises NotFound."""
    people = family(customer_for(actor, customer_id).pk)
    return customer_for(actor, other_of(_suggestion(people, suggestion_id), people).pk)


def accept(*, customer_id: int | str, suggestion_id: int | str, actor: Actor) -> Customer:
    """They are one person: the customer named survives. Conflict when it was decided already."""
    with transaction.atomic():
        _asked, other = _locked(customer_id, suggestion_id, actor)
        return merging.merge(survivor_id=customer_id, loser_id=other.pk, actor=actor, evidence="suggestion")


def decline(*, customer_id: int | str, suggestion_id: int | str, actor: Actor) -> MergeSuggestion:
    """They are two people: nobody is asked again. Conflict when it was decided already."""
    with transaction.atomic():
        asked, _other = _locked(customer_id, suggestion_id, actor)
        return _decide(asked, State.DECLINED, actor)


def ask_again(*, customer_id: int | str, suggestion_id: int | str, actor: Actor) -> MergeSuggestion:
    """A suggestion was declined by mistake: it is open once more. Conflict when it is not declined."""
    with transaction.atomic():
        asked, _other = _locked(customer_id, suggestion_id, actor, State.DECLINED)
        return _decide(asked, State.OPEN, actor)


def _decide(asked: MergeSuggestion, state: str, actor: Actor) -> MergeSuggestion:
    asked.state = state
    asked.decided_by_id = actor.id if actor.is_user and state != State.OPEN else None
    asked.decided_at = None if state == State.OPEN else now()
    asked.save(update_fields=["state", "decided_by", "decided_at"])
    record(MergeDecided(customer_id=asked.customer_id, other_id=asked.other_id, state=state), actor=actor)
    return asked


def _locked(
    customer_id: int | str, suggestion_id: int | str, actor: Actor, state: str = State.OPEN
) -> tuple[MergeSuggestion, Customer]:
    """A suggestion about this customer, with the other one it is about: customers first, by id, as everywhere."""
    people = family(customer_for(actor, customer_id).pk)
    found = _suggestion(people, suggestion_id)
    other = other_of(found, people)
    for one in sorted({people[0], other.pk}):
        customer_for(actor, one, lock=True)
    found = MergeSuggestion.objects.select_for_update(no_key=True).get(pk=found.pk)
    if found.state != state:
        raise Conflict(fields={"suggestion": found.state})
    return found, other


def _suggestion(people: list[int], suggestion_id: int | str) -> MergeSuggestion:
    asked = MergeSuggestion.objects.filter(Q(customer__in=people) | Q(other__in=people))
    try:
        return asked.select_related("customer", "other").get(pk=int(suggestion_id))
    except (MergeSuggestion.DoesNotExist, ValueError, TypeError, OverflowError):
        raise NotFound from None


def _knows(actor: Actor, customer: Customer) -> bool:
    try:
        customer_for(actor, customer.pk)
    except NotFound:
        return False
    return True


def _is_blocked(people: list[int]) -> bool:
    """Whether any address of these people is blocked."""
    addresses = Identity.objects.filter(customer__in=people).values_list("kind", "value")
    blocked = Q(pk__in=[])
    for kind, value in addresses:
        blocked |= Q(kind=kind, value=value)
    return BlockedSender.objects.filter(blocked).exists()
