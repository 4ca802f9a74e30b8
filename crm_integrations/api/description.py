"""`GET /api/v1/openapi.json`: the API's description, kept by hand in openapi.json beside this module."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

DESCRIPTION = Path(__file__).resolve().parent / "openapi.json"


@lru_cache(maxsize=1)
def read_description() -> dict[str, Any]:
    """The OpenAPI document."""
    description: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return description


@require_safe
def show_description(request: HttpRequest) -> JsonResponse:
    """The OpenAPI document; it holds no secrets, so anybody may read it."""
    return JsonResponse(read_description())
