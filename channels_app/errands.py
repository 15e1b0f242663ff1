"""What is got from a provider in jobs of their own: the files of a message, and who somebody is."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils.timezone import now
from django.utils.translation import gettext_noop

from channels_app import health, kinds, media, ports, registry, templates_kept, tokens
from channels_app.adapters.base import Adapter, Fetcher, Probed
from channels_app.contracts import ChannelRef, Origin, Probe, ProfileLearned, RemoteFile
from channels_app.events import FileArrived
from channels_app.models import Channel, Errand, Media, Thread
from helpdesk.core import jobs
from helpdesk.core.actor import Actor
from helpdesk.core.errors import GiveUp, Reauthorise
from helpdesk.core.recorder import record
from helpdesk.core.text import storable

PROBE_EVERY = timedelta(minutes=5)
PROBES = 20  # channels asked at once
_NAMES = {"image": "image", "video": "video", "audio": "audio", "sticker": "sticker"}


def fetch_later(*, channel_id: UUID, file: RemoteFile) -> Media:
    """A file of a message: its row now, its content by a job, in the caller's transaction."""
    file = storable(file)
    expected = media.expect(
        filename=file.filename or _NAMES.get(file.kind, "file"), content_type=file.content_type, size=file.size
    )
    errand = Errand.objects.create(channel_id=channel_id, what=Errand.What.FILE, media=expected, source=file.source)
    jobs.wake(errand)
    return expected


def ask_who(thread: Thread) -> None:
    """Have the provider asked, once, who is on this line; in the caller's transaction."""
    if thread.profile_asked_at is not None or not isinstance(registry.adapter(thread.channel.kind), Fetcher):
        return
    if Thread.objects.filter(pk=thread.pk, profile_asked_at__isnull=True).update(profile_asked_at=now()):
        jobs.wake(Errand.objects.create(channel_id=thread.channel_id, what=Errand.What.PROFILE, thread=thread))


def due() -> datetime | None:
    """Clock finder: has the channels whose time has come asked how they are; says when the next one is due."""
    waiting = Channel.objects.filter(is_active=True, kind__in=registry.probed_kinds()).order_by(
        F("probe_at").asc(nulls_first=True)
    )
    with transaction.atomic():
        for channel in waiting.filter(Q(probe_at__isnull=True) | Q(probe_at__lte=now())).select_for_update(
            skip_locked=True, no_key=True
        )[:PROBES]:
            Channel.objects.filter(pk=channel.pk).update(probe_at=now() + PROBE_EVERY)
            jobs.wake(Errand.objects.create(channel=channel, what=Errand.What.PROBE))
    return waiting.values_list("probe_at", flat=True).first()


def drain() -> None:
    """Do what is due. The network call happens outside any transaction; doing it twice does no harm."""
    jobs.drain(Errand, _do, failed=_tell, batch=5)


def _do(held: jobs.Claim) -> None:
    errand: Errand = held.job
    if errand.what == Errand.What.TOKEN:
        tokens.refresh(errand.channel_id)
        jobs.settle(held)
        return
    channel = registry.channel(errand.channel_id)
    adapter = registry.adapter(channel.kind)
    if errand.what == Errand.What.PROBE:
        _probe(held, channel, adapter)
        return
    if not channel.is_active or not isinstance(adapter, Fetcher):
        raise GiveUp(gettext_noop("nobody to ask"))
    if errand.what == Errand.What.PROFILE:
        _learn(held, errand, channel, adapter)
        return
    fetched = tokens.with_key(channel, lambda keyed: adapter.fetch(keyed, errand.source))
    with transaction.atomic():
        jobs.settle(held)
        expected = Media.objects.select_for_update().get(errand=errand)
        media.arrive(expected, content=fetched.content, content_type=fetched.content_type, filename=fetched.filename)
        record(FileArrived(media_id=str(expected.pk)), actor=Actor.system())


def _probe(held: jobs.Claim, channel: ChannelRef, adapter: Adapter) -> None:
    """Whether the keys work and the provider still calls. One that cannot be reached now says nothing about keys."""
    ready = channel.is_active and not kinds.missing(channel.kind, channel.config, channel.secrets)
    found = tokens.probed(channel, adapter.probe) if ready and isinstance(adapter, Probed) else Probe(ok=True)
    if ready and found.ok:
        templates_kept.refresh_if_old(channel)
    with transaction.atomic():
        jobs.settle(held)
        if found.ok:
            health.well(channel_id=channel.id, kind=health.AUTH)
            health.listen(Channel.objects.get(pk=channel.id))
        else:
            health.trouble(channel_id=channel.id, kind=health.AUTH, problem=found.problem)


def _learn(held: jobs.Claim, errand: Errand, channel: ChannelRef, adapter: Fetcher) -> None:
    thread = Thread.objects.get(errand=errand)
    known = tokens.with_key(channel, lambda keyed: adapter.profile(keyed, thread.address))
    with transaction.atomic():
        jobs.settle(held)
        Thread.objects.filter(pk=thread.pk, name="").update(name=storable(known.name)[:200])
        picture = fetch_later(channel_id=channel.id, file=known.picture) if known.picture else None
        learned = ProfileLearned(
            thread_id=thread.pk, name=known.name, language=known.language, picture_id=picture.pk if picture else None
        )
        ports.hand_over(learned, Origin(channel=channel, event_id=0, received_at=errand.created_at))


def _tell(errand: Errand, error: GiveUp) -> None:
    """In the transaction that gives it up: the file will not come, or the keys are not to be had."""
    if errand.what == Errand.What.TOKEN:
        tokens.overdue(errand.channel_id)
    if errand.media_id:
        Media.objects.filter(pk=errand.media_id).update(state=Media.State.LOST)
        record(FileArrived(media_id=str(errand.media_id), is_lost=True), actor=Actor.system())
    if isinstance(error, Reauthorise):
        health.trouble(channel_id=errand.channel_id, kind=health.AUTH, problem=str(error))
