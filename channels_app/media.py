"""Files we keep: stored once under the hash of their content, before the row that names them commits."""

import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import puremagic
from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from channels_app.models import Errand, Media
from helpdesk.core.errors import NotFound

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
# Shown in place by a browser without harm; everything else is a download.
SAFE_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# Played in place: nothing but sound and pictures can come of them.
SAFE_SOUNDS = frozenset(
    {"audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/wav", "audio/x-wav", "audio/webm", "audio/x-m4a"}
)
SAFE_VIDEOS = frozenset({"video/mp4", "video/webm", "video/ogg", "video/quicktime"})


def keep(*, content: bytes, filename: str, content_type: str, content_id: str = "", owner: str = "") -> Media:
    """Store the content (durable when this returns) and make its row in the caller's transaction.

    A rolled-back row leaves the content behind; it is found again under its hash the next time.
    """
    media = Media(
        sha256=hashlib.sha256(content).hexdigest(),
        filename=_filename(filename),
        content_type=sniff(content, content_type),
        size=len(content),
        content_id=content_id[:255],
        owner=owner,
    )
    with transaction.atomic(savepoint=False):
        _write(media.path, content)
        media.save(force_insert=True)
    return media


def expect(*, filename: str, content_type: str, size: int) -> Media:
    """A row for a file that is still to be fetched, in the caller's transaction; `arrive` fills it."""
    media = Media(
        state=Media.State.COMING,
        filename=_filename(filename),
        content_type=content_type.lower().split(";")[0].strip()[:120],
        size=max(size, 0),
    )
    media.save(force_insert=True)
    return media


def arrive(media: Media, *, content: bytes, content_type: str, filename: str) -> None:
    """The expected file is here: durable when this returns, its row changed in the caller's transaction."""
    media.sha256 = hashlib.sha256(content).hexdigest()
    media.size = len(content)
    media.content_type = sniff(content, content_type or media.content_type)
    if media.filename == "file":
        media.filename = _filename(filename)
    media.state = Media.State.KEPT
    _write(media.path, content)
    media.save(update_fields=["sha256", "size", "content_type", "filename", "state"])


def forget(media_ids: Sequence[UUID]) -> None:
    """Files that were taken back: lost from now on, nameless, also where they are still to come.

    In the caller's transaction, as its last act: a content nobody else keeps is gone when this returns.
    """
    # A worker that is fetching one either has settled its errand before this, or finds that it lost it.
    errands = Errand.objects.filter(media__in=media_ids)
    list(errands.select_for_update().order_by("pk").values_list("pk"))
    errands.update(state=Errand.State.DONE, source={})
    found = list(Media.objects.select_for_update().filter(pk__in=media_ids).order_by("pk"))
    contents = {media.path for media in found if media.sha256}
    blank = {"state": Media.State.LOST, "sha256": "", "filename": "", "content_type": "", "content_id": "", "size": 0}
    Media.objects.filter(pk__in=media_ids).update(**blank)
    for path in sorted(contents):
        _claim(path, alone=True)
        if not Media.objects.filter(sha256=path.rpartition("/")[2]).exists():
            path_of(path).unlink(missing_ok=True)


def uploads(*, owner: str, media_ids: Sequence[str]) -> list[Media]:
    """Those of the named files that this owner uploaded; no query when none is named."""
    return list(Media.objects.filter(owner=owner, pk__in=media_ids)) if media_ids else []


def content_of(media: Media) -> bytes:
    """The bytes of a file; raises NotFound, in words, while it is still coming and when it is lost."""
    if media.state == Media.State.COMING:
        raise NotFound(_("This file is still on its way from the provider. Try again in a moment."))
    if not media.sha256:
        raise NotFound(_("This file is no longer there."))
    try:
        return path_of(media.path).read_bytes()
    except FileNotFoundError:
        raise NotFound(_("This file is no longer there.")) from None


def path_of(relative: str) -> Path:
    """Where a media file lies on this machine."""
    return Path(settings.MEDIA_ROOT) / relative


def sniff(content: bytes, claimed: str) -> str:
    """The type to serve it as: an image only if its bytes say so, else what the sender claimed."""
    claimed = claimed.lower().split(";")[0].strip()[:120]
    if not _TYPE.fullmatch(claimed):  # it goes into a header one day
        return "application/octet-stream"
    if not claimed.startswith("image/"):
        return claimed if claimed not in {"text/html", "image/svg+xml"} else "application/octet-stream"
    try:
        found = puremagic.from_string(content[:4096], mime=True)
    except (puremagic.PureError, ValueError):
        found = ""
    return found if found in SAFE_IMAGES else "application/octet-stream"


def _filename(name: str) -> str:
    """The name without folders and control characters, at most 255 characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(character for character in base if character.isprintable()).strip(" .")
    return clean[-255:] or "file"


def _claim(path: str, *, alone: bool) -> None:
    """Until the transaction ends, nobody forgets this content; alone: and nobody begins to keep it."""
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(hashtextextended(%s, 0))", [path])


def _write(path: str, content: bytes) -> None:
    """Store a content in the caller's transaction, durable when this returns."""
    _claim(path, alone=False)
    target = path_of(path)
    if target.exists() and target.stat().st_size == len(content):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, target)
    folder = os.open(target.parent, os.O_RDONLY)  # the name must survive a power cut too
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
