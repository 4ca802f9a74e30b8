"""For machines that watch: `/healthz` (alive), `/readyz` (makes progress), `/metrics` (Prometheus)."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from crm_integrations.metrics import exposition
from crm_integrations.readiness import readiness

PROXY_HEADERS = frozenset({"forwarded", "via", "x-real-ip"})
PROXY_PREFIX = "x-forwarded-"


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; asks nothing else, so that a slow database does not get it restarted."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 while every check passes, else 503; the checks are named with what they found."""
    results = readiness()
    is_ready = all(result.is_ready for result in results.values())
    checks = {name: {"ready": result.is_ready, "detail": result.detail} for name, result in results.items()}
    status = "ready" if is_ready else "stuck"
    return JsonResponse({"status": status, "checks": checks}, status=200 if is_ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for those who bring METRICS_TOKEN; without a token set, for this machine alone."""
    if not _may_read_metrics(request):
        return HttpResponse("Bring METRICS_TOKEN as a bearer token.\n", status=403, content_type="text/plain")
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        scheme, _separator, token = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    return _is_loopback(request.META.get("REMOTE_ADDR", "")) and not _came_through_proxy(request)


def _came_through_proxy(request: HttpRequest) -> bool:
    """Whether a proxy, which may be on this machine, says that it passed the request on for somebody else."""
    names = {name.lower() for name in request.headers}
    return bool(names & PROXY_HEADERS) or any(name.startswith(PROXY_PREFIX) for name in names)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
