"""The frame's left navigation: apps register entries in `AppConfig.ready`, pages get those a person may open.

An entry appears as soon as its address exists and the person holds its permission.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise

from crm_integrations.models.users import Theme

THEME_COOKIE_NAME = "theme"


@dataclass(frozen=True)
class NavigationEntry:
    """One line of the navigation; `permission` may be empty for everybody who has signed in."""

    label: str | Promise
    url_name: str
    icon: str
    permission: str = ""
    order: int = 100


@dataclass(frozen=True)
class NavigationLink:
    """An entry as one person sees it on one page."""

    label: str | Promise
    url: str
    icon: str
    is_current: bool


@dataclass(frozen=True)
class Crumb:
    """One step of the breadcrumbs; the last one, the page itself, has no address."""

    label: str | Promise
    url: str = ""


_entries: dict[str, NavigationEntry] = {}


def register_navigation(*entries: NavigationEntry) -> None:
    """Add entries; registering one address again replaces it."""
    _entries.update({entry.url_name: entry for entry in entries})


def navigation_links(request: HttpRequest) -> list[NavigationLink]:
    """The entries the person may open, in order, the present page's one marked."""
    links = []
    for entry in sorted(_entries.values(), key=lambda entry: entry.order):
        url = _address(entry.url_name)
        if url and _may_open(request, entry):
            links.append(NavigationLink(entry.label, url, entry.icon, request.path.startswith(url)))
    return links


def frame(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page: navigation, theme and languages."""
    return {
        "navigation": navigation_links(request),
        "theme": preferred_theme(request),
        "themes": Theme.choices,
        "languages": settings.LANGUAGES,
        "here": request.get_full_path(),
    }


def preferred_theme(request: HttpRequest) -> str:
    """The account's theme, or the cookie's for those who have not signed in."""
    user = getattr(request, "user", None)
    chosen = getattr(user, "theme", "") or request.COOKIES.get(THEME_COOKIE_NAME, "")
    return chosen if chosen in Theme.values else str(Theme.AUTO)


def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def _may_open(request: HttpRequest, entry: NavigationEntry) -> bool:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return False
    return not entry.permission or user.has_perm(entry.permission)
