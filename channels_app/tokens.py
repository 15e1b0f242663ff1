"""Keys that end: exchanged for new ones ahead of time, by one at a time, and never used before they are on disk.

A refresh key works once. So the channel's row is locked, looked at again, and both new keys are written in the very
transaction that asked for them. Where the answer is lost, the chain may be broken: the channel says so at once, and a
later attempt with the old key finds out whether it is.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app import health, kinds, registry
from channels_app.adapters.base import KeyRefused, Refresher
from channels_app.contracts import ChannelRef, Probe, Refreshed
from channels_app.models import Channel, Errand
from helpdesk.core import jobs
from helpdesk.core.errors import GiveUp, NotFound, Reauthorise, Retry, Uncertain

T = TypeVar("T")

STATE = "keys"  # in Channel.state: {refreshed_at, retry_at, lost, broken}
PAUSE = timedelta(seconds=20)  # before anybody asks again, after an attempt that brought nothing
LOST_PAUSE = timedelta(seconds=60)
YOUNG = timedelta(minutes=5)  # a key of this age that is refused will not be helped by another exchange
BACK_OFF = timedelta(minutes=10)  # after a job has spent all its attempts

LOST = gettext_noop(
    "the answer with this channel's new keys was lost: if it does not pass within minutes, connect the account again"
)
REFUSED = gettext_noop("the provider refuses to renew this channel's keys: connect the account again")
OVERDUE = gettext_noop("this channel's keys could not be renewed for hours, the provider does not answer")


def due() -> datetime | None:
    """Clock finder: an errand for every channel whose key ends soon; when the next one is to be renewed."""
    tried = Errand.objects.filter(channel=OuterRef("pk"), what=Errand.What.TOKEN)
    busy = tried.filter(Q(state__in=jobs.OPEN) | Q(state="failed", due_at__gt=now() - BACK_OFF))
    rows = Channel.objects.filter(kind__in=kinds.EXPIRING, is_active=True).exclude(Exists(busy))
    upcoming: list[datetime] = []
    for row in rows:
        at = _renewal(row)
        if at is not None and at <= now():
            errand = Errand(channel_id=row.pk, what=Errand.What.TOKEN)
            Errand.objects.bulk_create([errand], ignore_conflicts=True)  # another clock may have been quicker
            jobs.wake(errand)
        elif at is not None:
            upcoming.append(at)
    return min(upcoming, default=None)


def refresh(channel_id: UUID, *, used: str = "") -> ChannelRef:
    """The channel with a key that is good for a while; renewed now where it is time, by one call for all who ask.

    used: an access key that was just refused, whatever its time. Raises Retry where it may work later; Reauthorise
    where somebody has to sign in again, and the channel then says so. Not to be called inside a transaction.
    """
    failed: Exception | None = None
    with transaction.atomic(durable=True):
        row = Channel.objects.select_for_update().filter(pk=channel_id).first()
        if row is None:
            raise NotFound
        if _is_wanted(row, used):
            failed = _renew(row)
        found = registry.reference(row)
    registry.forget()
    if failed is not None:
        raise failed
    return found


def with_key(channel: ChannelRef, ask: Callable[[ChannelRef], T]) -> T:
    """What `ask` says with the channel's key; when that is refused, with the newest one, renewed if need be, once."""
    try:
        return ask(channel)
    except KeyRefused:
        if channel.kind not in kinds.EXPIRING:
            raise
    try:
        fresh = refresh(channel.id, used=_key(channel.secrets))
    except DatabaseError as error:
        raise Retry(gettext_noop("the newest key could not be read") + f": {error}") from error
    return ask(fresh)


def probed(channel: ChannelRef, ask: Callable[[ChannelRef], Probe]) -> Probe:
    """What a test of the keys says. Keys that still work, and that nobody can renew any more, are no good news."""
    found = with_key(channel, ask)
    state: Any = Channel.objects.values_list("state", flat=True).get(pk=channel.id)
    known = state.get(STATE, {})
    doubt = REFUSED if known.get("broken") else LOST if known.get("lost") else ""
    return replace(found, ok=False, problem=doubt) if found.ok and doubt else found


def keep(row: Channel, given: Refreshed) -> None:
    """Write new keys on a channel whose row the caller has locked, in the caller's transaction.

    The pair before stays, encrypted, under `previous`: for whoever has to find out what happened.
    """
    old = _open(row)
    previous = {key: old[key] for key in given.secrets if old.get(key)}
    if previous:
        old = old | {"previous": previous | {"until": now().isoformat()}}
    kept: Any = old | given.secrets
    row.secrets = kept
    row.keys_expire_at = given.expires_at
    row.state = row.state | {STATE: {"refreshed_at": now().isoformat()}}
    row.save(update_fields=["secrets", "keys_expire_at", "state"])
    health.well(channel_id=row.pk, kind=health.AUTH)


def forget_past(row: Channel) -> None:
    """Somebody gave the channel other keys: nothing that was known of the old ones holds. The caller saves."""
    row.keys_expire_at = None
    row.state = {key: value for key, value in row.state.items() if key != STATE}


def overdue(channel_id: UUID) -> None:
    """Every attempt of a job failed, in the caller's transaction: said of the channel unless worse is known."""
    if not Channel.objects.filter(pk=channel_id, problem_kind=health.AUTH).exists():
        health.trouble(channel_id=channel_id, kind=health.AUTH, problem=OVERDUE)


def _renew(row: Channel) -> Exception | None:
    """Ask for new keys and write down what came of it, under the row's lock. What the caller is to raise."""
    adapter = registry.adapter(row.kind)
    if not isinstance(adapter, Refresher):
        return GiveUp(f"{row.kind} has no keys that are renewed")
    try:
        given = adapter.refresh(registry.reference(row))
    except Retry as error:
        _remember(row, retry_at=_in(timedelta(seconds=error.after) if error.after else PAUSE))
        return error
    except Uncertain as error:
        _remember(row, retry_at=_in(LOST_PAUSE), lost=True)
        health.trouble(channel_id=row.pk, kind=health.AUTH, problem=LOST)
        return Retry(str(error), after=LOST_PAUSE.total_seconds())
    except GiveUp:
        _remember(row, broken=True)
        health.trouble(channel_id=row.pk, kind=health.AUTH, problem=REFUSED)
        return Reauthorise(REFUSED)
    keep(row, given)
    return None


def _is_wanted(row: Channel, used: str) -> bool:
    """Whether to ask the provider now. Raises Retry and Reauthorise where that is known to be of no use."""
    known, key = row.state.get(STATE, {}), _key(row.secrets)
    if used and key != used:
        return False  # somebody was quicker
    due_at = _renewal(row)
    if not used and (due_at is None or due_at > now()):
        return False
    young = known.get("refreshed_at", "") > (now() - YOUNG).isoformat()
    if known.get("broken") or not row.is_active or (used and young):
        raise Reauthorise(REFUSED)
    retry_at = known.get("retry_at")
    if retry_at and (wait := (datetime.fromisoformat(retry_at) - now()).total_seconds()) > 0:
        raise Retry(gettext_noop("the keys are being renewed"), after=wait)
    return True


def _renewal(row: Channel) -> datetime | None:
    """When the keys are to be exchanged; None where they last, or where they cannot be exchanged as things are.

    Keys whose end is not known (somebody typed them in) are exchanged at once: then it is.
    """
    known = row.state.get(STATE, {})
    adapter = registry.adapter(row.kind)
    if known.get("broken") or not isinstance(adapter, Refresher) or kinds.missing(row.kind, row.config, _open(row)):
        return None
    if row.keys_expire_at is None:
        return None if known.get("refreshed_at") else row.created_at
    return row.keys_expire_at - adapter.refresh_ahead


def _remember(row: Channel, **known: Any) -> None:
    row.state = row.state | {STATE: row.state.get(STATE, {}) | known}
    row.save(update_fields=["state"])


def _in(pause: timedelta) -> str:
    return (now() + pause).isoformat()


def _open(row: Channel) -> dict[str, Any]:
    opened: Any = row.secrets  # the field's type is what the database sees: text
    return opened


def _key(secrets: Any) -> str:
    return str(secrets.get("access_token", ""))
