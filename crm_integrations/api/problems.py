"""Refusals of the API as problem details (RFC 9457), in the caller's language."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

CONTENT_TYPE = "application/problem+json"


class ApiProblem(Exception):
    """A request that is answered with a problem; `members` join the body beside the standard ones."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, list(errors)
        self.headers, self.members = dict(headers or {}), members

    def as_response(self) -> JsonResponse:
        """The answer."""
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": self.errors,
            **self.members,
        }
        return JsonResponse(body, status=self.status, content_type=CONTENT_TYPE, headers=self.headers)


def unknown_address(request: HttpRequest, rest: str = "") -> JsonResponse:
    """404 for every address under the API that there is not."""
    return ApiProblem(404, _("There is nothing at this address; see /api/v1/openapi.json.")).as_response()
