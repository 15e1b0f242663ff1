"""Every address of the desk, in one place."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []

handler400 = "helpdesk.core.http.bad_request"
handler404 = "helpdesk.core.http.page_not_found"
handler500 = "helpdesk.core.http.server_error"
