"""Every address of the desk, in one place."""

from django.urls import URLPattern, URLResolver

from helpdesk.runtime import health

urlpatterns: list[URLPattern | URLResolver] = [*health.urlpatterns]

handler400 = "helpdesk.core.http.bad_request"
handler404 = "helpdesk.core.http.page_not_found"
handler500 = "helpdesk.core.http.server_error"
