"""Whether the desk lives, whether it can work, and its figures: /healthz, /readyz, /metrics."""

import hmac
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseForbidden, JsonResponse
from django.urls import path
from django.utils.module_loading import import_string
from django.utils.timezone import now
from prometheus_client import REGISTRY, Counter, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from helpdesk.core import jobs
from helpdesk.runtime.fallback import valkey_answers

disable_created_metrics()
REQUESTS = Counter("helpdesk_http_requests", "Answered requests", ["method", "route", "status"])
NEVER_STORED = {"Cache-Control": "no-store"}


def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers at all; touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain", headers=NEVER_STORED)


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when requests can be served: the database answers. Without Valkey work goes on, later: said, not refused."""
    found = {"database": "up" if _database_answers() else "down", "valkey": "up" if valkey_answers() else "down"}
    ready = found["database"] == "up"
    return JsonResponse({"ready": ready, **found}, status=200 if ready else 503, headers=NEVER_STORED)


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for loopback callers and holders of METRICS_TOKEN."""
    if not _may_see_metrics(request):
        return HttpResponseForbidden("METRICS_TOKEN is needed from here.\n", content_type="text/plain")
    text = generate_latest(REGISTRY) + generate_latest(_Snapshot())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST, headers=NEVER_STORED)


urlpatterns = [path("healthz", healthz), path("readyz", readyz), path("metrics", metrics)]


class CountRequests:
    """Middleware: one count by method, route (the pattern, never the address) and status."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if iscoroutinefunction(self):
            return self._later(request)
        return _counted(request, self.get_response(request))

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        return _counted(request, await self.get_response(request))


def _counted(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    match = request.resolver_match
    REQUESTS.labels(request.method, f"/{match.route}" if match else "none", response.status_code).inc()
    return response


class _Snapshot:
    """What the database says now, in the shape prometheus_client collects."""

    def collect(self) -> list[GaugeMetricFamily]:
        depth = GaugeMetricFamily("helpdesk_queue_due", "Jobs that are due or being worked on", labels=["queue"])
        age = GaugeMetricFamily("helpdesk_queue_oldest_seconds", "How late the oldest due job is", labels=["queue"])
        failed = GaugeMetricFamily("helpdesk_queue_failed", "Jobs that were given up", labels=["queue"])
        moment = now()
        for model in apps.get_models():
            if issubclass(model, jobs.LeasedJob):
                rows = model._base_manager
                due = rows.filter(state__in=jobs.OPEN, due_at__lte=moment).aggregate(n=Count("*"), first=Min("due_at"))
                depth.add_metric([model.QUEUE], due["n"])
                age.add_metric([model.QUEUE], (moment - due["first"]).total_seconds() if due["first"] else 0)
                failed.add_metric([model.QUEUE], rows.filter(state="failed").count())
        return [depth, age, failed, *_further()]


def _further() -> list[GaugeMetricFamily]:
    """Gauges of the packages above: settings.METRIC_SOURCES names callables that return {name: value}."""
    gauges = []
    for dotted in getattr(settings, "METRIC_SOURCES", []):
        source: Callable[[], Mapping[str, float]] = import_string(dotted)
        for name, value in source().items():
            gauge = GaugeMetricFamily(name, name.removeprefix("helpdesk_").replace("_", " "))
            gauge.add_metric([], value)
            gauges.append(gauge)
    return gauges


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        connection.close()
        return False
    return True


def _may_see_metrics(request: HttpRequest) -> bool:
    wanted, given = settings.ENV.metrics_token, request.headers.get("Authorization", "")
    if wanted and hmac.compare_digest(given.encode(), f"Bearer {wanted}".encode()):
        return True
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False  # a proxy on this machine speaks for somebody else
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
