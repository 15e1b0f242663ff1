"""Where providers call: the signature is checked over the raw bytes, everything is kept, then they are answered."""

from uuid import UUID

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from channels_app import inbound, kinds, registry
from channels_app.adapters.base import Hook, digest, same
from channels_app.contracts import Answer, Call, ChannelRef, Item
from helpdesk.core.errors import NotFound, TooLarge

log = structlog.get_logger(__name__)

MAX_BODY = 4 * 1024 * 1024  # bytes; the largest that any provider announces is 3 MB


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def hook(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """A provider's call. 200 only when every item is on disk; 401 forged, 404 no such channel, 413 too large.

    A signed body that cannot be taken apart is kept whole, so that nothing a provider sent is lost.
    """
    channel = registry.channel(channel_id)
    adapter = registry.adapter(channel.kind)
    if not channel.is_active or not isinstance(adapter, Hook):
        raise NotFound
    call = _call(request)
    if request.method != "POST":
        return _response(adapter.greet(channel, call))
    adapter.verify(channel, call)
    try:
        items = adapter.split(channel, call)
    except ValueError:
        items = [Item(external_id=digest(call.body), raw=call.body)]
    inbound.accept_all([(_channel_of(item, channel), item) for item in items])
    return _response(adapter.answer(channel, call))


def _call(request: HttpRequest) -> Call:
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > MAX_BODY:
        raise TooLarge
    body = request.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise TooLarge
    return Call(
        method=request.method or "",
        url=f"{settings.SITE_URL}{request.get_full_path()}",
        headers={name.lower(): value for name, value in request.headers.items()},
        query={name: str(value) for name, value in request.GET.items()},
        body=body,
    )


def _channel_of(item: Item, called: ChannelRef) -> UUID:
    """Whose item it is: one application's calls for all its pages may come to the address of one of them.

    Only a channel with the very same signing key is believed by that signature; anything else stays where it came,
    and is shown there as unreadable.
    """
    if not item.account or item.account == called.address:
        return called.id
    other = registry.channel_at(called.kind, item.account)
    key = kinds.SIGNING_KEY.get(called.kind, "app_secret")
    ours, theirs = str(called.secrets.get(key, "")), str(other.secrets.get(key, "")) if other else ""
    if other and ours and same(theirs, ours):
        return other.id
    log.warning("a call for an account no channel has", channel=str(called.id), account=item.account[:60])
    return called.id


def _response(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
