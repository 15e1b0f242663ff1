"""Files of the conversation: uploaded before they are sent, downloaded through the gate."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import parsers, serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import media
from channels_app.models import Media
from helpdesk.core.api import ApiView, Given
from helpdesk.core.errors import TooLarge
from tickets.api.shapes import UploadOut
from tickets.messages import actions, queries
from tickets.models import Attachment


class UploadIn(Given):
    """One file as the part `file` of a form."""

    file = serializers.FileField(max_length=500)


class WhateverIsAccepted(DefaultContentNegotiation):
    """A file is what it is: nobody is refused for asking for an image. Refusals are JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class AttachmentView(ApiView):
    """Uploads are their owner's until sent; what hangs on a message is for whoever may see its ticket."""

    serializer_class = UploadOut
    parser_classes = (parsers.MultiPartParser,)
    content_negotiation_class = WhateverIsAccepted
    queryset = Attachment.objects.none()

    @extend_schema(
        operation_id="upload",
        summary="Upload a file to send later",
        request={"multipart/form-data": UploadIn},
        responses={201: UploadOut},
    )
    def create(self, request: Request) -> Response:
        file = self.given(UploadIn)["file"]
        if file.size > settings.ATTACHMENT_MAX_BYTES:
            raise TooLarge
        kept = actions.upload(
            content=file.read(),
            filename=file.name,
            content_type=file.content_type or "",
            actor=self.actor,
        )
        return Response(self.shown(UploadOut, kept), status=201)

    @extend_schema(
        operation_id="download",
        summary="Download a file",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="The file.")},
    )
    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        file = queries.attachment_for(self.actor, pk)
        return _served(file.media, file.filename, file.content_type)

    @extend_schema(
        operation_id="download_upload",
        summary="Download an upload of your own",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="The file.")},
    )
    def retrieve_upload(self, request: Request, upload_id: Any) -> HttpResponseBase:
        file = queries.upload_for(self.actor, upload_id)
        return _served(file, file.filename, file.content_type)


def _served(file: Media, filename: str, content_type: str) -> HttpResponse:
    """The bytes as a download; only harmless images may be shown in place."""
    shown = content_type in media.SAFE_IMAGES
    response = HttpResponse(media.content_of(file), content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(not shown, filename) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response
