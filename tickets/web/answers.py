"""Answering: replies, notes, drafts, files on their way up, taking back and sending again."""

import re
from uuid import UUID

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from channels_app import media
from channels_app.queries import original_of
from helpdesk.accounts.access import signed_in
from helpdesk.core.errors import NotFound, StaleVersion, TooLarge
from tickets.enums import Kind
from tickets.lifecycle.queries import survivor, ticket_for
from tickets.messages import actions as messages
from tickets.messages import queries
from tickets.web import conversation, listing, ways
from tickets.web.acts import done
from tickets.web.inbox import actor_of


@require_POST
@signed_in
def reply(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Answer the customer. When others have spoken since the writer's last look: 409 with what is new.

    A version that moved without new words (a status, a tag) is no reason to interrupt somebody.
    """
    actor = actor_of(request)
    ticket = survivor(ticket_for(actor, ticket_id))
    seen = _number(request.POST.get("seen"))
    is_anyway = "anyway" in request.POST
    new = conversation.new_for(ticket, actor, seen) if seen and not is_anyway else []
    version = _number(request.POST.get("anyway") or request.POST.get("expected_version"))
    way = ways.given(request)
    try:
        message = messages.reply(
            ticket_id=ticket_id,
            text="" if way["template"] else request.POST.get("text", ""),
            **way,
            media_ids=tuple(request.POST.getlist("media")),
            # Others have spoken: the version the writer saw. Nobody has: whatever moved is no reason to interrupt.
            expected_version=(version or None) if new or is_anyway or not seen else ticket.version,
            status=request.POST.get("status", ""),
            actor=actor,
        )
    except StaleVersion:
        moved = {"messages": new or conversation.new_for(ticket, actor, seen)}
        return done(request, ticket_id, status=409, context={"moved": moved})
    return done(request, ticket_id, undo=False, sent={"message": message.pk})


@require_POST
@signed_in
def note(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Write something for colleagues only."""
    media_ids = tuple(request.POST.getlist("media"))
    message = messages.note(
        ticket_id=ticket_id, text=request.POST.get("text", ""), media_ids=media_ids, actor=actor_of(request)
    )
    return done(request, ticket_id, undo=False, sent={"message": message.pk})


@require_POST
@signed_in
def draft(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Keep what is being written; an empty text forgets it."""
    channel = request.POST.get("channel", "").partition(" ")[0]
    messages.save_draft(
        ticket_id=ticket_id,
        text=request.POST.get("text", ""),
        kind=Kind.NOTE if request.POST.get("mode") == "note" else Kind.MESSAGE,
        channel_id=_uuid(channel),
        media_ids=tuple(request.POST.getlist("media")),
        seen_version=_number(request.POST.get("expected_version")) or None,
        way=dict(ways.draft_of(request)),
        actor=actor_of(request),
    )
    return HttpResponse(status=204)


@require_GET
@signed_in
def switch(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The channel switch as it stands now, with `chosen` kept where it is still there."""
    ticket = survivor(ticket_for(actor_of(request), ticket_id))
    found = ways.switch(ticket, chosen=request.GET.get("chosen", ""))
    return render(request, "tickets/_ways.html", {"switch": found, "icons_url": listing.icons_url()})


@require_POST
@signed_in
def measure(request: HttpRequest, ticket_id: int) -> JsonResponse:
    """How a text would leave: `{parts, words, plain}`; plain: a shorter SMS without diacritics, else empty."""
    ticket_for(actor_of(request), ticket_id)
    text = request.POST.get("text", "")[: messages.MAX_TEXT]
    return JsonResponse(ways.measured(text, request.POST.get("kind", ""), mode=request.POST.get("via", "")))


@require_POST
@signed_in
def upload(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """Take one file for an answer: `{id, filename, size, type}`; 413 over the limit."""
    actor = actor_of(request)
    ticket_for(actor, ticket_id)
    file = request.FILES.get("file")
    if file is None:
        raise NotFound
    if (file.size or 0) > settings.ATTACHMENT_MAX_BYTES:
        raise TooLarge
    kept = media.keep(
        content=file.read(),
        filename=file.name or "file",
        content_type=file.content_type or "application/octet-stream",
        owner=f"user:{actor.id}",
    )
    kept_as = {"id": str(kept.pk), "filename": kept.filename, "size": kept.size, "type": kept.content_type}
    return JsonResponse(kept_as, status=201)


@require_POST
@signed_in
def take_back(request: HttpRequest, message_id: int) -> HttpResponse:
    """Stop a reply that is still held; its words go back into the composer."""
    message = messages.take_back(message_id=message_id, actor=actor_of(request))
    return done(
        request,
        message.ticket_id,
        _("Taken back. Your words are in the composer."),
        undo=False,
        restored={"text": message.text},
    )


@require_POST
@signed_in
def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """Send again what failed."""
    message = messages.retry(message_id=message_id, actor=actor_of(request))
    return done(request, message.ticket_id, _("On its way again."), undo=False)


@require_GET
@signed_in
def file(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """An attachment: safe images, sounds and films in place, everything else as a download.

    While it is still coming from its provider, and when it is lost, 404 with words.
    """
    found = queries.attachment_for(actor_of(request), attachment_id)
    content = media.content_of(found.media)
    in_place = found.content_type in media.SAFE_IMAGES | media.SAFE_SOUNDS | media.SAFE_VIDEOS
    response = HttpResponse(content, content_type=found.content_type if in_place else "application/octet-stream")
    response["Accept-Ranges"] = "bytes"
    if (part := _part(request.headers.get("Range", ""), len(content))) is not None:
        first, last = part
        response.content, response.status_code = content[first : last + 1], 206
        response["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    response["Content-Disposition"] = content_disposition_header(not in_place, found.filename) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=86400, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """The first and last byte of a single range, as players ask for it; None for the whole file."""
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked)
    if not found or not any(found.groups()):
        return None
    start, end = found.groups()
    if not start:
        return (max(0, size - int(end)), size - 1) if int(end) and size else None
    first, last = int(start), min(int(end or size - 1), size - 1)
    return (first, last) if first <= last else None


@csp_replace(
    {
        "default-src": ["'none'"],
        "script-src": ["'none'"],
        "connect-src": ["'none'"],
        "form-action": ["'none'"],
        "img-src": ["'self'", "https:", "http:"],
        "style-src": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
)
@xframe_options_sameorigin
@require_GET
@signed_in
def mail_page(request: HttpRequest, message_id: int) -> HttpResponse:
    """The mail as its sender formatted it, for a sandboxed frame. Remote images only when asked for (`images=1`)."""
    message = queries.message_for(actor_of(request), message_id)
    files = {one.content_id: one.pk for one in message.attachments.all() if one.content_id}
    html = _with_images(message.html, files, remote=request.GET.get("images") == "1")
    return render(request, "tickets/mail_page.html", {"html": html})


def _with_images(html: str, files: dict[str, int], *, remote: bool) -> str:
    """The sanitised HTML with the mail's own images, and those from elsewhere when they were asked for."""
    for content_id, pk in files.items():
        html = html.replace(f'data-cid="{content_id}"', f'src="/inbox/files/{pk}/"')
    return html.replace(" data-remote=", " src=") if remote else html


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 15 else 0


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@require_GET
@signed_in
def original(request: HttpRequest, message_id: int) -> HttpResponse:
    """The mail as it came over the wire, as a download."""
    message = queries.message_for(actor_of(request), message_id)
    raw = original_of(message.event_id)
    response = HttpResponse(raw, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="message-{message.pk}.eml"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
