"""Who the customer is, beside the thread: addresses and what proves them, who they may be and who they were."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.core.actor import Actor
from tickets.customers import claims, suggestions
from tickets.customers import queries as customers
from tickets.models import Customer, Identity, IdentityClaim
from tickets.web import words

WHY = {
    "dmarc": gettext_lazy("The mail proved its sender"),
    "host-signature": gettext_lazy("Signed by your own site"),
    "code": gettext_lazy("Confirmed by a code"),
}
SAME = {
    "same_phone": gettext_lazy("same phone number"),
    "same_email": gettext_lazy("same e-mail address"),
    "same_name": gettext_lazy("same name on the same channel"),
    "claimed": gettext_lazy("one of the two gave the other's address as their own"),
}


def person(actor: Actor, customer: Customer, people: list[int], identities: list[Identity]) -> dict[str, Any]:
    """What the panel shows of a customer; `people` are they and everyone merged into them."""
    known = {(one.kind, one.value) for one in identities}
    claimed = list(customers.unproved_claims(people))
    waiting = {(one.kind, one.value) for one in claimed if one.awaits_code}
    claimed = [one for one in claimed if (one.kind, one.value) not in known]
    kinds = {one.kind for one in identities} | {one.kind for one in claimed}
    why_not = {kind: claims.why_not(kind) for kind in kinds & {"email", "phone"}}
    return {
        "picture": f"/inbox/customers/{customer.pk}/picture/?{customer.picture_id}" if customer.picture_id else "",
        "prefers": words.channel(customer.preferred_channel) if customer.preferred_channel else "",
        "identities": [identity(one, waiting, why_not) for one in identities]
        + [_claim(one, waiting, why_not) for one in claimed],
        "suggestions": [
            {
                "id": one.pk,
                "name": str(other),
                "why": SAME.get(one.reason, ""),
                "addresses": ", ".join(placed(address) for address in customers.identities(other.pk)[:3]),
            }
            for one, other in suggestions.known_of(people, actor)
        ],
        "merged": [{"id": one.pk, "name": one.name} for one in customers.merged_into(people)] if people[1:] else [],
    }


def identity(one: Identity, waiting: set[tuple[str, str]], why_not: dict[str, str]) -> dict[str, Any]:
    """An address with its sign, and how it may be proved where it is not."""
    verified = one.verified_at is not None
    return {
        **_shown(one.kind, one.value, waiting, why_not),
        "label": label(one),
        "given": one.name if one.kind == "phone" else "",
        "verified": verified,
        "may_prove": not verified and one.kind in why_not,
        "why": _why(one.evidence) if verified else _("Nobody has proved that this address is theirs"),
    }


def _why(evidence: str) -> Any:
    """What proves an address, in words."""
    if evidence in words.CHANNELS:
        return _("{channel} vouches for it").format(channel=words.channel(evidence))
    return WHY.get(evidence, evidence)


def label(one: Identity) -> str:
    """What an address is called: itself, or the name where it is only a provider's number for somebody."""
    if one.kind == "webchat":
        return _("Visitor of the chat")
    if one.kind in ("email", "phone", "sms"):
        return one.value
    return numbered(one.kind, one.value) or one.name or one.value


def numbered(kind: str, value: str) -> str:
    """A WhatsApp number as it is dialled; empty for what is no number, which means nothing to anybody."""
    return f"+{value}" if kind == "whatsapp" and value.isdecimal() else ""


def placed(one: Identity) -> str:
    """An address where no sign stands beside it: a name on a channel with the channel's."""
    if one.kind in ("email", "phone", "sms", "webchat"):
        return label(one)
    return f"{words.channel(one.kind)}: {label(one)}"


def _claim(one: IdentityClaim, waiting: set[tuple[str, str]], why_not: dict[str, str]) -> dict[str, Any]:
    return {
        **_shown(one.kind, one.value, waiting, why_not),
        "label": one.value,
        "verified": False,
        "claimed": True,
        "may_prove": one.kind in why_not,
        "why": _("They say that this address is theirs. A code sent to it proves it."),
    }


def _shown(kind: str, value: str, waiting: set[tuple[str, str]], why_not: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": kind,
        "value": value,
        "icon": kind if kind in words.CHANNELS else "question",
        "code_sent": (kind, value) in waiting,
        "why_not": why_not.get(kind, ""),
    }
