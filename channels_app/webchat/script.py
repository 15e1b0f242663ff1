"""The widget's script: the parts beside this file, in their order, as one function that leaves no name behind."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

_FOLDER = Path(__file__).parent / "widget"
PARTS = ("words", "style", "dom", "store", "wire", "chat", "draw", "panel", "start")


@cache
def source() -> tuple[bytes, bytes, str]:
    """The whole script, the same packed, and its ETag."""
    parts = [(_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in PARTS]
    body = '(function () {\n"use strict";\n' + "\n".join(parts) + "\n})();\n"
    plain = body.encode()
    return plain, gzip.compress(plain, mtime=0), f'W/"{hashlib.sha256(plain).hexdigest()[:20]}"'


@require_safe
def widget(request: HttpRequest) -> HttpResponse:
    """GET /widget.js: for any page, kept for five minutes, then asked for again by its ETag."""
    plain, packed, etag = source()
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(packed, "text/javascript; charset=utf-8", headers={"Content-Encoding": "gzip"})
    else:
        response = HttpResponse(plain, "text/javascript; charset=utf-8")
    response["Vary"] = "Accept-Encoding"
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
