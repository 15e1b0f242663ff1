"""Idempotency-Key: a write repeated with the same key happens once, and both get the same answer."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.core.errors import Conflict, Invalid
from helpdesk.core.models import IdempotencyKey

KEPT = timedelta(hours=24)
WAIT_MS = 10_000
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


class KeyReused(Invalid):
    """The key came before with another request."""

    code, message = "idempotency_key_reused", _("This Idempotency-Key was used for another request.")


class KeyBusy(Conflict):
    """The first request of this key is still being worked on."""

    code, message = "idempotency_key_busy", _("The first request with this Idempotency-Key is still running.")


class IdempotentWrites:
    """For API views: a write with an `Idempotency-Key` header runs once in 24 hours for each user and key.

    The key, the effects and the stored answer are one transaction, so a killed process leaves all or nothing. A
    repetition gets the stored answer with `Idempotent-Replayed: true`; one that comes meanwhile waits for the first
    (ten seconds, then 409); another request under the same key is 422. What is refused is not kept: repairing the
    cause and sending again runs.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After sign-in, permissions and limits, before the handler is looked up."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get("Idempotency-Key")
        method = request.method or ""
        if key is None or method not in WRITES or not hasattr(self, method.lower()):
            return
        if not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
            raise Invalid(_("An Idempotency-Key is 1 to 200 printable ASCII characters."))
        handler = getattr(self, method.lower())
        setattr(self, method.lower(), partial(_once, handler, key))


def _once(handler: Callable[..., Response], key: str, request: Request, *args: Any, **kwargs: Any) -> Response:
    where, digest = f"{request.method} {request.get_full_path()}"[:500], _digest(request)
    user_id = int(getattr(request.user, "pk", None) or 0)  # views for strangers share one space of keys
    with transaction.atomic():
        claimed = _claim(user_id, key, where, digest)
        if claimed is None:
            return _replay(user_id, key, where, digest)
        response = handler(request, *args, **kwargs)
        if response.status_code >= 400:
            transaction.set_rollback(True)
            return response
        claimed.status = response.status_code
        claimed.response = (JSONRenderer().render(response.data) or b"null").decode()
        claimed.save(update_fields=["status", "response"])
    return response


def _claim(user_id: int, key: str, where: str, digest: str) -> IdempotencyKey | None:
    """The key's new row, held until the transaction ends, or None when somebody finished with it before.

    Inserting waits for a first request that is still running: that is the index's own lock.
    """
    IdempotencyKey.objects.filter(user_id=user_id, key=key, created_at__lt=now() - KEPT).delete()
    row = IdempotencyKey(user_id=user_id, key=key, where=where, digest=digest)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(WAIT_MS)])
            cursor.execute(
                'INSERT INTO core_idempotencykey (user_id, key, "where", digest, status, response, created_at)'
                " VALUES (%s, %s, %s, %s, 0, '', %s) ON CONFLICT (user_id, key) DO NOTHING RETURNING id",
                [user_id, key, where, digest, row.created_at],
            )
            made = cursor.fetchone()
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == "55P03":  # lock_not_available
            raise KeyBusy from None
        raise
    if made is None:
        return None
    row.pk, row._state.adding = made[0], False
    return row


def _replay(user_id: int, key: str, where: str, digest: str) -> Response:
    row = IdempotencyKey.objects.filter(user_id=user_id, key=key).first()
    if row is None or row.status == 0:
        raise KeyBusy
    if (row.where, row.digest) != (where, digest):
        raise KeyReused
    return Response(json.loads(row.response), status=row.status, headers={"Idempotent-Replayed": "true"})


def _digest(request: Request) -> str:
    """What was asked for. A form's parts rather than its bytes: clients draw a new boundary each time."""
    found = hashlib.sha256()
    if (request.content_type or "").startswith("multipart/"):
        found.update(json.dumps(sorted((k, request.POST.getlist(k)) for k in request.POST)).encode())
        for name in sorted(request.FILES):
            for file in request.FILES.getlist(name):
                found.update(f"\0{name}\0{file.name}\0{file.size}\0".encode())
                for chunk in file.chunks():
                    found.update(chunk)
                file.seek(0)
    else:
        found.update(request._request.body)
    return found.hexdigest()


def forget_old_keys() -> int:
    """Remove keys nobody can repeat any more; how many went."""
    gone, _models = IdempotencyKey.objects.filter(created_at__lt=now() - KEPT).delete()
    return gone
