"""The frame's left navigation: entries that a person may see, the present one marked."""

from typing import Any

from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page."""
    return {}
