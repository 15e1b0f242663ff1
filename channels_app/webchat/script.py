"""The widget's script: the parts beside this file, in their order, as one function that leaves no name behind."""

import hashlib
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

_FOLDER = Path(__file__).parent / "widget"
PARTS = ("words", "style", "dom", "store", "wire", "chat", "panel", "draw", "start")


@cache
def source() -> tuple[bytes, str]:
    """The whole script and its ETag."""
    parts = [(_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in PARTS]
    body = '(function () {\n"use strict";\n' + "\n".join(parts) + "\n})();\n"
    return body.encode(), f'"{hashlib.sha256(body.encode()).hexdigest()[:20]}"'


@require_safe
def widget(request: HttpRequest) -> HttpResponse:
    """GET /widget.js: for any page, kept for five minutes, then asked for again by its ETag."""
    body, etag = source()
    fresh = request.headers.get("If-None-Match") == etag
    response = HttpResponseNotModified() if fresh else HttpResponse(body, "text/javascript; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
