"""Every address of the desk, in one place."""

from django.urls import URLPattern, URLResolver, include, path, register_converter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from helpdesk.core.api import IdConverter

register_converter(IdConverter, "id")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("helpdesk.runtime.health")),
    path("", include("helpdesk.accounts.urls")),
    path("", include("channels_app.webchat.urls")),
    path("", include("channels_app.urls")),
    path("api/v1/", include("tickets.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="api_docs"),
    path("", include("tickets.web.urls")),
]

handler400 = "helpdesk.core.http.bad_request"
handler404 = "helpdesk.core.http.page_not_found"
handler429 = "helpdesk.core.http.too_many_requests"  # the sign-in library looks for it
handler500 = "helpdesk.core.http.server_error"
