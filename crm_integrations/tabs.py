"""Tabs of the configuration page: apps register theirs in `AppConfig.ready`, as with the navigation."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise

from crm_integrations.models import Configuration


@dataclass(frozen=True)
class ConfigurationTab:
    """One tab; its address takes the Configuration ID as its only positional argument."""

    label: str | Promise
    url_name: str
    permission: str = ""
    order: int = 100


@dataclass(frozen=True)
class TabLink:
    """A tab as one person sees it."""

    label: str | Promise
    url: str
    is_current: bool


_tabs: dict[str, ConfigurationTab] = {}


def register_tabs(*tabs: ConfigurationTab) -> None:
    """Add tabs; registering one address again replaces it."""
    _tabs.update({tab.url_name: tab for tab in tabs})


def configuration_tabs(*, configuration: Configuration, user: Any, current: str) -> list[TabLink]:
    """The tabs the person may open, in order; `current` is the url name of the selected one."""
    links = []
    for tab in sorted(_tabs.values(), key=lambda tab: tab.order):
        url = _address(tab.url_name, configuration)
        if url and (not tab.permission or user.has_perm(tab.permission)):
            links.append(TabLink(tab.label, url, tab.url_name == current))
    return links


def tab_url(url_name: str, configuration: Configuration) -> str:
    """The address of a tab that a floor above may bring; empty when it does not."""
    return _address(url_name, configuration) if url_name in _tabs else ""


def _address(url_name: str, configuration: Configuration) -> str:
    try:
        return reverse(url_name, args=[configuration.pk])
    except NoReverseMatch:
        return ""
