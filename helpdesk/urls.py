"""Which address leads where."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("helpdesk.accounts.urls")),
]

handler400 = "helpdesk.core.http.bad_request"
handler404 = "helpdesk.core.http.page_not_found"
handler500 = "helpdesk.core.http.server_error"
handler429 = "helpdesk.core.http.too_many_requests"  # allauth looks for it
