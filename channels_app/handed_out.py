"""Files for providers that fetch what we send from an address: one signed address a file, for a day."""

import re
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from channels_app.contracts import OutboundFile
from channels_app.media import path_of
from helpdesk.core.errors import NotFound

SECONDS = 24 * 3600
_SALT = "media handed out"
_KEPT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}")  # where media lies; anything else is no file of ours


def url_for(file: OutboundFile) -> str:
    """The public address of one file we send: opens this file alone, for 24 hours from now. At most 600 characters,
    plus the name's; raises ValueError for a file that is not kept media."""
    if not _KEPT.fullmatch(file.path):
        raise ValueError("not a kept file")
    token = signing.dumps([file.path.partition("/")[2], file.content_type], salt=_SALT)
    return f"{settings.SITE_URL}/media/out/{token}/{quote(_name(file.filename), safe='')}"


@require_safe
def give(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """GET media/out/TOKEN/NAME: the file the token was made for, as a download; 404 for anything else.

    The name is what the provider shows and proves nothing.
    """
    try:
        digest, content_type = signing.loads(token, salt=_SALT, max_age=SECONDS)
        content = path_of(f"{digest[:2]}/{digest}").read_bytes()
    except (signing.BadSignature, ValueError, TypeError, FileNotFoundError):
        raise NotFound from None
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Robots-Tag"] = "noindex"
    return response


def _name(filename: str) -> str:
    """As the last part of an address: at most 80 characters, of which the ending stays; providers go by that."""
    stem, dot, ending = filename.replace("/", "_").rpartition(".")
    if not stem or len(ending) > 10:
        return filename.replace("/", "_")[:80] or "file"
    return f"{stem[:70]}{dot}{ending}"
