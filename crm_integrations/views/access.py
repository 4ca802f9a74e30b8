"""Who may open a page: strangers sign in first, those without a permission learn which one is missing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


class MissingPermission(PermissionDenied):
    """Refused because of these permissions (`app.action_model`); the 403 page names them in words."""

    def __init__(self, *permissions: str) -> None:
        super().__init__(", ".join(permissions))
        self.permissions = permissions


def requires(*permissions: str) -> Callable[[View], View]:
    """Let a view be opened by signed-in people who hold all of `permissions`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            check_permissions(request, *permissions)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def check_permissions(request: HttpRequest, *permissions: str) -> None:
    """Raise MissingPermission with those the person lacks."""
    missing = [permission for permission in permissions if not request.user.has_perm(permission)]
    if missing:
        raise MissingPermission(*missing)
