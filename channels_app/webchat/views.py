"""The visitor's addresses under /widget/v1/: read the request, call an action, answer in JSON."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from channels_app import ports
from channels_app.contracts import ChannelRef
from channels_app.webchat import actions, limits, origins, proofs, queries
from channels_app.webchat.errors import NoVisitor, OriginRefused, Unreadable
from helpdesk.core.errors import DomainError, Invalid, NotFound, TooLarge, TooMany
from helpdesk.core.http import error_body, refusal

MAX_BODY = 64 * 1024
MAX_FORM = 64 * 1024  # what a multipart form weighs beside its file
HEADERS = "Authorization, Content-Type, X-Request-ID"

View = Callable[..., HttpResponse]


def visitor_door(**methods: View) -> View:
    """A view of the widget: channel, origin, method, in this order. Every refusal has the one shape and CORS."""

    @csrf_exempt  # nothing here reads a cookie: the token is in a header
    def view(request: HttpRequest, channel_id: UUID, **kwargs: Any) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        try:
            channel = queries.channel_for(channel_id)
            if origin and not origins.allowed(origin, channel.config.get("origins"), settings.SITE_URL):
                raise OriginRefused
        except DomainError as error:
            return refusal(request, error)
        response = _answer(request, channel, methods, kwargs)
        if origin:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "X-Request-ID, Retry-After"
        response["Vary"] = "Origin"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return view


def _answer(
    request: HttpRequest, channel: ChannelRef, methods: dict[str, View], kwargs: dict[str, Any]
) -> HttpResponse:
    allowed = ", ".join([*methods, "OPTIONS"])
    if request.method == "OPTIONS":
        headers = {
            "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": HEADERS,
            "Access-Control-Max-Age": "7200",
        }
        return HttpResponse(status=204, headers=headers)
    if request.method not in methods:
        body = error_body(request, "method_not_allowed", _("This address does not answer to that method."))
        return JsonResponse(body, status=405, headers={"Allow": allowed})
    try:
        return methods[request.method](request, channel, **kwargs)
    except DomainError as error:
        response = refusal(request, error)
        if isinstance(error, TooMany):
            response["Retry-After"] = "30"
        if isinstance(error, NoVisitor):
            response["WWW-Authenticate"] = "Bearer"
        return response


def of_visitor(view: View) -> View:
    """Gives the view the thread of the visitor whose token the request carries."""

    @wraps(view)
    def with_thread(request: HttpRequest, channel: ChannelRef, **kwargs: Any) -> HttpResponse:
        return view(request, channel, queries.thread_for(channel, _bearer(request)), **kwargs)

    return with_thread


def open_session(request: HttpRequest, channel: ChannelRef) -> HttpResponse:
    """POST session: `{user?, proof?, language?}` → `{token, thread, …}`."""
    limits.address("session", _remote(request))
    body = _json(request)
    language = _language(body)
    session = actions.open_session(
        channel=channel,
        person=_person(body),
        proof=_words(body, "proof", 200),
        token=_bearer(request, required=False),
        language=language,
    )
    return JsonResponse(
        {
            "token": session.token,
            "thread": str(session.thread_id),
            "name": channel.name,
            "greeting": _greeting(channel.config.get("greeting"), language),
            "answers_in": ports.desk().usual_answer(channel_id=channel.id),
            "last_seq": session.last_seq,
            "seen_seq": session.seen_seq,
            "email": session.email,
            "max_file_bytes": settings.ATTACHMENT_MAX_BYTES,
        }
    )


@of_visitor
def say(request: HttpRequest, channel: ChannelRef, thread_id: int) -> HttpResponse:
    """POST messages: `{client_id, text, attachments?}` → the line; 201, or 200 when it was there already."""
    limits.address("say", _remote(request))
    limits.visitor("say", thread_id)
    body = _json(request)
    attachments = body.get("attachments") or []
    if not isinstance(attachments, list):
        raise Invalid(fields={"attachments": "not_a_list"})
    line, fresh = actions.say(
        channel=channel,
        thread_id=thread_id,
        client_id=_words(body, "client_id", 64),
        text=_words(body, "text", None),
        attachments=attachments,
    )
    return JsonResponse(queries.as_seen(line, channel.id), status=201 if fresh else 200)


@of_visitor
def lines(request: HttpRequest, channel: ChannelRef, thread_id: int) -> HttpResponse:
    """GET messages?after=SEQ → `{results, more}`, at most 200 lines."""
    raw = request.GET.get("after", "0")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 19):
        raise Invalid(fields={"after": "not_a_number"})
    actions.connected(thread_id=thread_id)
    found = queries.lines_after(thread_id, int(raw))
    return JsonResponse({"results": found, "more": len(found) == queries.PAGE})


@of_visitor
def mark_read(request: HttpRequest, channel: ChannelRef, thread_id: int) -> HttpResponse:
    """POST seen: `{seq}`."""
    seq = _json(request).get("seq")
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq < 1 << 62:
        raise Invalid(fields={"seq": "not_a_number"})
    actions.read_up_to(thread_id=thread_id, seq=seq)
    return HttpResponse(status=204)


@of_visitor
def upload(request: HttpRequest, channel: ChannelRef, thread_id: int) -> HttpResponse:
    """POST files: one multipart field `file` → `{id, filename, content_type, size, url}`."""
    if int(request.headers.get("Content-Length") or 0) > settings.ATTACHMENT_MAX_BYTES + MAX_FORM:
        raise TooLarge
    limits.address("file", _remote(request))
    limits.visitor("file", thread_id)
    file = request.FILES.get("file")
    if file is None:
        raise Invalid(fields={"file": "missing"})
    if (file.size or 0) > settings.ATTACHMENT_MAX_BYTES:
        raise TooLarge
    kept = actions.keep_file(
        thread_id=thread_id,
        content=file.read(),
        filename=file.name or "file",
        content_type=file.content_type or "application/octet-stream",
    )
    return JsonResponse(actions.media_entry(kept, channel.id), status=201)


def download(request: HttpRequest, channel: ChannelRef, media_id: UUID) -> HttpResponse:
    """GET files/ID: by the visitor's token, or by the key that its address carries."""
    if key := request.GET.get("key", ""):
        content = queries.content_by_key(channel, media_id, key)
    else:
        content = queries.content_for(queries.thread_for(channel, _bearer(request)), media_id)
    if not content.path.is_file():
        raise NotFound
    # Read whole: the server would do so with a file's iterator too, and say that it does.
    response = HttpResponse(content.path.read_bytes(), content_type=content.content_type)
    named = content_disposition_header(not content.inline, content.filename)
    response["Content-Disposition"] = named or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Cache-Control"] = "private, max-age=3600"
    return response


@of_visitor
def leave_email(request: HttpRequest, channel: ChannelRef, thread_id: int) -> HttpResponse:
    """POST email: `{email}` → a code goes there."""
    limits.address("email", _remote(request))
    limits.visitor("email", thread_id)
    body = _json(request)
    actions.leave_email(thread_id=thread_id, email=_words(body, "email", 254), language=_language(body))
    return HttpResponse(status=204)


@of_visitor
def confirm_email(request: HttpRequest, channel: ChannelRef, thread_id: int) -> HttpResponse:
    """POST email/confirm: `{email, code}` → `{email}`: answers reach it from now on."""
    limits.address("confirm", _remote(request))
    limits.visitor("confirm", thread_id)
    body = _json(request)
    email = actions.confirm_email(thread_id=thread_id, email=_words(body, "email", 254), code=_words(body, "code", 12))
    return JsonResponse({"email": email})


def _json(request: HttpRequest) -> dict[str, Any]:
    if int(request.headers.get("Content-Length") or 0) > MAX_BODY or len(request.body) > MAX_BODY:
        raise TooLarge
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(body, dict):
        raise Unreadable
    return body


def _words(body: dict[str, Any], name: str, limit: int | None) -> str:
    """A text field; absent is empty. Raises Invalid for another type, or when it is too long."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(fields={name: "not_a_text"})
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise Invalid(fields={name: "not_a_text"}) from None
    if limit is not None and len(value) > limit:
        raise Invalid(fields={name: "too_long"})
    return value


def _person(body: dict[str, Any]) -> proofs.Person | None:
    user = body.get("user")
    if user is None:
        if body.get("proof"):
            raise Invalid(fields={"user": "missing"})
        return None
    if not isinstance(user, dict):
        raise Invalid(fields={"user": "not_an_object"})
    given = user | ({"id": str(user["id"])} if type(user.get("id")) is int else {})
    longest = {"id": 120, "email": 254, "phone": 32, "name": 200}
    found = {name: _words(given, name, limit) for name, limit in longest.items()}
    for name, value in found.items():
        if not value.isprintable():
            raise Invalid(fields={name: "unprintable"})
    if body.get("proof") and not found["id"]:
        raise Invalid(fields={"id": "missing"})
    return proofs.Person(**found)


def _language(body: dict[str, Any]) -> str:
    """The language the widget speaks, if it is one of ours; else what the browser asks for."""
    asked = _words(body, "language", 20).lower().partition("-")[0]
    return asked if asked in dict(settings.LANGUAGES) else translation.get_language() or settings.LANGUAGE_CODE


def _greeting(configured: object, language: str) -> str:
    """The channel's own greeting: one for all, or one a language; empty leaves it to the widget."""
    if isinstance(configured, dict):
        configured = configured.get(language)
    return configured if isinstance(configured, str) else ""


def _bearer(request: HttpRequest, *, required: bool = True) -> str:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    if required:
        raise NoVisitor
    return ""


def _remote(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
