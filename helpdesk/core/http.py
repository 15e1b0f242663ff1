"""Requests and refusals: a request id for each, and every refusal in the one shape."""

import json
import logging
import re
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.response import Response

from helpdesk.core.errors import DomainError, NotAllowed, NotFound, TooLarge, TooMany

log = logging.getLogger(__name__)

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
GetResponse = Callable[[HttpRequest], HttpResponse]
_DRF_CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


class RequestIdMiddleware:
    """Gives each request an id, taken from X-Request-ID where a proxy sent a sane one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        if request.encoding and request.encoding.lower() not in ("utf-8", "utf8"):
            request.encoding = "utf-8"  # a charset that a stranger names may be rot13: nothing here reads it
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                response = self.get_response(request)
            except (OperationalError, InterfaceError):
                log.exception("the database does not answer")
                response = _unavailable(request)
        response["X-Request-ID"] = request_id
        return response


class DomainErrorMiddleware:
    """Turns a refusal raised in a view into what its reader understands: JSON, a toast or a page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, (OperationalError, InterfaceError)):
            log.exception("the database does not answer")
            return _unavailable(request)
        if isinstance(error, Http404):
            error = NotFound()
        if isinstance(error, PermissionDenied):
            error = NotAllowed()
        if not isinstance(error, DomainError):
            return None
        return refusal(request, error)


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A refusal for this reader: the JSON shape for scripts, a toast for HTMX, a page otherwise."""
    if wants_json(request):
        return JsonResponse(error_body(request, error.code, str(error.message), error.fields), status=error.status)
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=error.status)
        response["HX-Reswap"] = "none"
        response["HX-Trigger"] = json.dumps({"toast": {"text": str(error.message), "kind": "error"}})
        return response
    context = {"error": error, "request_id": getattr(request, "request_id", "")}
    return render(request, "error.html", context, status=error.status)


def wants_json(request: HttpRequest) -> bool:
    """Whether the reader is a program: the API, the widget's own calls, hooks, a script that asks for JSON alone."""
    asked = request.headers.get("Accept", "") == "application/json"
    return asked or request.path.startswith(("/api/", "/widget/", "/hooks/"))


def error_body(request: Any, code: str, message: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """The one shape of every error."""
    inner = getattr(request, "_request", request)
    request_id = getattr(inner, "request_id", "")
    return {"error": {"code": code, "message": message, "fields": fields or {}, "request_id": request_id}}


def api_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: whatever went wrong in the one shape; None lets a bug be a logged 500."""
    request = context.get("request")
    if isinstance(error, Http404):
        error = NotFound()
    if isinstance(error, PermissionDenied):
        error = NotAllowed()
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    if isinstance(error, DataError):
        log.exception("the database refused what a caller sent")
        error = DomainError(_("The request could not be understood."))
    if isinstance(error, DomainError):
        return Response(error_body(request, error.code, str(error.message), error.fields), status=error.status)
    if isinstance(error, drf.ValidationError):
        body = error_body(request, "invalid", _("Please check what you entered."), _fields(error.detail))
        return Response(body, status=400)
    if isinstance(error, drf.APIException):
        code = _DRF_CODES.get(error.status_code, "refused")
        headers = {}
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait) + 1)
        if auth := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = auth
        return Response(error_body(request, code, str(error.detail)), status=error.status_code, headers=headers)
    return None


def _fields(detail: Any) -> dict[str, Any]:
    return detail if isinstance(detail, dict) else {"non_field_errors": detail}


def _unavailable(request: HttpRequest) -> HttpResponse:
    """The database is away: said in words, with a hint when to come back."""
    message = _("The desk cannot reach its database right now. Nothing is lost; try again in a moment.")
    if wants_json(request):
        response: HttpResponse = JsonResponse(error_body(request, "unavailable", message), status=503)
    else:
        response = HttpResponse(message, status=503, content_type="text/plain; charset=utf-8")
    response["Retry-After"] = "5"
    return response


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return refusal(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: something we did not foresee; the id leads to the log."""
    message = _("Something went wrong on our side. Quote this id if you report it:")
    request_id = getattr(request, "request_id", "")
    if wants_json(request):
        return JsonResponse(error_body(request, "server_error", f"{message} {request_id}"), status=500)
    return HttpResponse(f"{message} {request_id}", status=500, content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return refusal(request, DomainError(_("The request could not be understood.")))


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """handler429, asked for by the sign-in library."""
    return refusal(request, TooMany())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: usually a page left open across a sign-in."""
    error = NotAllowed(_("This page is out of date. Go back, load it again and repeat what you did."))
    error.code = "page_out_of_date"  # nobody can give the reader a right here
    return refusal(request, error)
