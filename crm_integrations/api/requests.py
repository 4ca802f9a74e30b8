"""What every API call goes through: its method, a bounded body, and who sent it.

Scripts have no session: a request is authorised by an intake key or a Standard Webhooks signature of one
configuration, so no cookie counts and no CSRF token is asked for.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.log import log_response
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from crm_integrations.api.problems import ApiProblem
from crm_integrations.database_clock import read_steady_clock
from crm_integrations.models import Configuration
from crm_integrations.services.senders import Sender, find_bearer, find_signer

BODY_LIMIT = 1_048_576  # bytes (1 MiB), interfaces §4
RETRY_AFTER_S = 5  # what a caller is asked to wait when the database cannot take the call
BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A request whose sender is known; `key_id`: the intake key that opened the configuration."""

    request: HttpRequest
    configuration: Configuration
    key_id: int
    body: bytes
    now: datetime

    def json(self) -> Any:
        """The body as JSON. Raises ApiProblem."""
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise ApiProblem(400, _("The body is not valid JSON in UTF-8.")) from error


ApiView = Callable[..., HttpResponse]


def api_view(*methods: str) -> Callable[[ApiView], ApiView]:
    """A view that is called with an ApiCall and the rest of the address; problems become answers."""

    def decorate(view: ApiView) -> ApiView:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, configuration_id: str, **address: str) -> HttpResponse:
            try:
                return view(_read_call(request, configuration_id, methods), **address)
            except ApiProblem as problem:
                return _answer_problem(request, problem)
            except (OperationalError, InterfaceError):
                return _unavailable().as_response()

        return answer

    return decorate


def _answer_problem(request: HttpRequest, problem: ApiProblem) -> HttpResponse:
    """The answer; that the CRM is limited or away is foreseen, so it is logged as no more than a warning."""
    response = problem.as_response()
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log_response(
            "%s: %s", response.reason_phrase, request.path, response=response, request=request, level="warning"
        )
    return response


def _read_call(request: HttpRequest, configuration_id: str, methods: tuple[str, ...]) -> ApiCall:
    allowed = (*methods, "HEAD") if "GET" in methods else methods
    if request.method not in allowed:
        raise ApiProblem(405, _("This address does not take this method."), headers={"Allow": ", ".join(allowed)})
    body, now = _read_body(request), read_steady_clock()
    sender = _find_sender(request, configuration_id, body, now)
    if sender is None or sender.configuration.state in {Configuration.State.DRAFT, Configuration.State.DELETED}:
        raise ApiProblem(401, _unknown_sender(), headers={"WWW-Authenticate": "Bearer"})
    if sender.configuration.state == Configuration.State.INACTIVE:
        raise ApiProblem(409, _("An administrator has deactivated this configuration; nothing was stored."))
    return ApiCall(request, sender.configuration, sender.key_id, body, now)


def _read_body(request: HttpRequest) -> bytes:
    """The raw bytes, never more than the limit; what is larger is not even read."""
    if "CONTENT_LENGTH" not in request.META and request.headers.get("Transfer-Encoding"):
        raise ApiProblem(411, _("Send the body with its length (Content-Length)."))
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
        body: bytes = b"" if announced > BODY_LIMIT else request.read(BODY_LIMIT + 1)
    except (ValueError, UnreadablePostError) as error:
        raise ApiProblem(400, _("The body could not be read.")) from error
    if announced > BODY_LIMIT or len(body) > BODY_LIMIT:
        message = _("The body is larger than %(limit)s bytes; nothing was stored. Send fewer events at a time.")
        raise ApiProblem(413, message % {"limit": BODY_LIMIT})
    return body


def _find_sender(request: HttpRequest, configuration_id: str, body: bytes, now: datetime) -> Sender | None:
    """Which configuration the request may speak for; the same None for every reason why there is none."""
    try:
        uuid = UUID(configuration_id)
    except ValueError:
        return None
    authorization = request.headers.get("Authorization", "")
    if authorization.lower().startswith(BEARER):
        key = authorization[len(BEARER) :].strip()
        return find_bearer(configuration_id=uuid, key=key, now=now)
    return find_signer(configuration_id=uuid, headers=request.headers, body=body, now=now)


def _unknown_sender() -> str:
    return _("Send a valid intake key of this configuration, or sign the request with its signing secret.")


def _unavailable() -> ApiProblem:
    message = _("The database cannot take this call now; nothing was stored. Send it again.")
    return ApiProblem(503, message, headers={"Retry-After": str(RETRY_AFTER_S)})
