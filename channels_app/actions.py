"""Setting up channels, retiring them, and giving what failed at the door another chance."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_app import health, inbound, kinds, queries, registry, tokens
from channels_app.adapters.base import Connected, Probed, SignedIn
from channels_app.contracts import Probe
from channels_app.events import ChannelChanged, InboundRetried
from channels_app.models import Channel, InboundEvent
from helpdesk.accounts.models import Team
from helpdesk.core.actor import Actor
from helpdesk.core.errors import Conflict, GiveUp, Invalid, NotAllowed, NotFound, Retry, Uncertain
from helpdesk.core.reasons import reason
from helpdesk.core.recorder import record


class AddressTaken(Conflict):
    code, message = "address_taken", gettext_lazy("Another channel has this address.")


def create(
    *,
    kind: str,
    name: str,
    actor: Actor,
    address: str = "",
    config: dict[str, Any] | None = None,
    secrets: dict[str, Any] | None = None,
    team_id: int | str | None = None,
) -> Channel:
    """A new door. Supervisors and admins only; raises NotAllowed, Invalid, AddressTaken."""
    if not (actor.is_supervisor or actor.kind == "system"):
        raise NotAllowed
    _ensure_admin_for_bases(actor, {}, config or {})
    if kind not in kinds.KEYS:
        known = kind in kinds.KINDS
        raise Invalid(
            _("This kind of channel is not available yet.") if known else _("There is no such kind of channel."),
            fields={"kind": "not_available_yet" if known else "unknown"},
        )
    channel = Channel(kind=kind)
    _fill(channel, name=name, address=address, config=config or {}, secrets=secrets or {}, team_id=team_id)
    return _saved(channel, "created", actor)


def change(*, channel_id: UUID | str, actor: Actor, **changes: Any) -> Channel:
    """Any of name, address, config (whole), secrets (those named; None removes one), team_id.

    Supervisors and admins only; raises NotFound, NotAllowed, Invalid, AddressTaken.
    """
    with transaction.atomic():
        channel = queries.channel_for(actor, channel_id, lock=True)
        if not channel.is_active:
            raise Conflict(fields={"is_active": "retired"})
        _ensure_admin_for_bases(actor, channel.config, changes.get("config", channel.config))
        _fill(channel, **changes)
        return _saved(channel, "updated", actor)


def retire(*, channel_id: UUID | str, actor: Actor) -> Channel:
    """Nothing comes in or goes out here any more; what was said stays. Twice changes nothing."""
    with transaction.atomic():
        channel = queries.channel_for(actor, channel_id, lock=True)
        if channel.is_active:
            channel.is_active = False
            _saved(channel, "retired", actor)
    return channel


def bring(*, channel_id: UUID | str, message: dict[str, Any], actor: Actor) -> tuple[InboundEvent, bool]:
    """A message of an own system, kept before this returns: its receipt, and whether it is new.

    Supervisors and admins only: whoever brings a message says who it is from, and is believed. Raises NotFound,
    NotAllowed, Conflict for a retired channel.
    """
    channel = queries.channel_for(actor, channel_id)
    if channel.kind != Channel.Kind.OPEN_API:
        raise NotFound
    if not channel.is_active:
        raise Conflict(fields={"is_active": "retired"})
    raw = json.dumps(message, ensure_ascii=False).encode()
    external_id = registry.adapter(channel.kind).identify(raw, {})
    is_new = inbound.accept(channel.pk, external_id, raw)
    return queries.receipt_of(channel.pk, external_id), is_new


def probe(*, channel_id: UUID | str, actor: Actor) -> Probe:
    """Ask the provider now whether the keys work. Supervisors and admins only; raises NotFound, NotAllowed.

    What it says stands on the channel from then on; a provider that cannot be reached is told in words, no more.
    The problem is told in the reader's language.
    """
    channel = registry.reference(queries.channel_for(actor, channel_id))
    lacking = kinds.missing(channel.kind, channel.config, channel.secrets)
    adapter = registry.adapter(channel.kind)
    if lacking:
        return Probe(ok=False, problem=_("Not filled in yet: %(names)s") % {"names": ", ".join(lacking)})
    if not isinstance(adapter, Probed):
        return Probe(ok=True)
    try:
        found = tokens.probed(channel, adapter.probe)
    except (Retry, Uncertain):
        return Probe(ok=False, problem=_("The provider cannot be reached right now. Try again in a moment."))
    except GiveUp as error:
        found = Probe(ok=False, problem=str(error))
    with transaction.atomic():
        if found.ok:
            health.well(channel_id=channel.id)
        else:
            health.trouble(channel_id=channel.id, kind=health.AUTH, problem=found.problem)
    return replace(found, problem=reason(found.problem))


def call_us(*, channel_id: UUID | str, actor: Actor) -> None:
    """Have the provider call this desk from now on, where it is told so by us. Supervisors and admins only.

    Raises Invalid with the provider's own words where it refuses.
    """
    channel = registry.reference(queries.channel_for(actor, channel_id))
    adapter = registry.adapter(channel.kind)
    if not isinstance(adapter, Connected):
        raise NotFound
    try:
        adapter.connect(channel, f"{settings.SITE_URL}/hooks/{channel.id}/")
    except (Retry, Uncertain):
        raise Conflict(_("The provider cannot be reached right now. Try again in a moment.")) from None
    except GiveUp as error:
        raise Invalid(reason(str(error))) from None
    with transaction.atomic():
        record(ChannelChanged(channel_id=str(channel.id), change="connected"), actor=actor)


def authorise_url(*, channel_id: UUID | str, redirect: str, verifier: str, state: str, actor: Actor) -> str:
    """Where an admin agrees at the provider that the desk may speak for the account. Raises NotFound, NotAllowed,
    Conflict where the channel is retired or something has to be filled in first."""
    channel, adapter = _to_sign_in(channel_id, actor)
    return adapter.authorise_url(registry.reference(channel), redirect, verifier, state)


def connect(*, channel_id: UUID | str, code: str, redirect: str, verifier: str, account: str, actor: Actor) -> Channel:
    """The provider's keys for a code, stored together. account: whom the provider says they are for, where it does.

    Raises NotFound, NotAllowed, Conflict with the provider's reason in words.
    """
    channel, adapter = _to_sign_in(channel_id, actor)
    if account and account != channel.address:
        raise Conflict(_("That was another account than this channel's: sign in with the one whose id is given here."))
    try:
        given = adapter.exchange(registry.reference(channel), code, redirect, verifier)
    except (GiveUp, Retry) as error:
        raise Conflict(
            _("The provider gave no keys. Try again in a moment: {reason}").format(reason=reason(str(error)))
        ) from error
    with transaction.atomic():
        channel = queries.channel_for(actor, channel_id, lock=True)
        tokens.keep(channel, given)
        record(ChannelChanged(channel_id=str(channel.pk), change="connected"), actor=actor)
    registry.forget()
    return channel


def _to_sign_in(channel_id: UUID | str, actor: Actor) -> tuple[Channel, SignedIn]:
    channel = queries.channel_for(actor, channel_id)
    adapter = registry.adapter(channel.kind)
    if not isinstance(adapter, SignedIn):
        raise NotFound
    known: Any = channel.secrets
    lacking = [key for key in kinds.SIGNED_IN.get(channel.kind, ()) if not (channel.config.get(key) or known.get(key))]
    if not channel.is_active or lacking:
        raise Conflict(_("Fill in the ids and the app secret first."), fields=dict.fromkeys(lacking, "missing"))
    return channel, adapter


def retry_inbound(*, event_id: int | str, actor: Actor) -> None:
    """Read again what could not be read. Supervisors and admins only; raises NotFound when it has not failed."""
    with transaction.atomic():
        event: InboundEvent | None = queries.failed_inbound(actor).filter(pk=int(event_id)).first()
        if event is None or not inbound.retry(event.pk):
            raise NotFound
        record(InboundRetried(event_id=event.pk, channel_id=str(event.channel_id)), actor=actor)


def _fill(channel: Channel, **changes: Any) -> None:
    """Put checked values on the channel."""
    config = changes.get("config", channel.config)
    given = changes.get("secrets", {})
    fresh = {key: value for key, value in given.items() if value is not None}
    wrong = kinds.problems(channel.kind, config, fresh)
    wrong |= {f"config.{key}": "private" for key in kinds.BASES if _is_refused_base(config.get(key))}
    wrong |= {f"secrets.{key[:60]}": "unknown" for key in given if key not in kinds.KEYS[channel.kind][1]}
    if "name" in changes:
        channel.name = changes["name"].strip()[:120]
    if "address" in changes:
        channel.address = changes["address"].strip().lower()[:254]
    channel.address = kinds.address_of(channel.kind, channel.address, config)[:254]
    if not channel.name:
        wrong["name"] = "empty"
    if channel.kind == Channel.Kind.EMAIL and not kinds.is_mail_address(channel.address):
        wrong["address"] = "invalid"
    if wrong:
        raise Invalid(fields=wrong)
    channel.config = config
    known: Any = channel.secrets
    channel.secrets = {key: value for key, value in known.items() if key not in given} | fresh
    if fresh.keys() & {"access_token", "refresh_token"}:
        tokens.forget_past(channel)
    if "team_id" in changes:
        channel.team = _team(changes["team_id"])


def _ensure_admin_for_bases(actor: Actor, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Where a channel's calls and keys go is an admin's to say."""
    if actor.is_user and not actor.is_admin and any(before.get(key) != after.get(key) for key in kinds.BASES):
        raise NotAllowed(_("Only an admin may change where a channel's calls go."))


def _is_refused_base(value: Any) -> bool:
    """Plain http is only for the exact pairs that an admin of the machine allowed."""
    if not isinstance(value, str):
        return False
    parts = urlsplit(value)
    try:
        pair = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    except ValueError:
        return True
    return parts.scheme != "https" and pair not in settings.ENV.helpdesk_allow_hosts


def _team(team_id: int | str | None) -> Team | None:
    if team_id is None:
        return None
    team = Team.objects.filter(pk=int(team_id), is_active=True).first()
    if team is None:
        raise Invalid(fields={"team": "unknown"})
    return team


def _saved(channel: Channel, change: str, actor: Actor) -> Channel:
    try:
        with transaction.atomic():
            channel.updated_at = now()
            channel.save()
            record(ChannelChanged(channel_id=str(channel.pk), change=change), actor=actor)
    except IntegrityError:
        raise AddressTaken(fields={"address": "taken"}) from None
    registry.forget()
    return channel
