"""Pages under Administration: apps register theirs in `AppConfig.ready`, as with the navigation."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise

from crm_integrations.tabs import TabLink


@dataclass(frozen=True)
class AdministrationSection:
    """One tab. `account_url_name`: its page of one CRM account, when it has one; takes the account's id."""

    label: str | Promise
    url_name: str
    permission: str
    account_url_name: str = ""
    order: int = 100


_sections: dict[str, AdministrationSection] = {}


def register_sections(*sections: AdministrationSection) -> None:
    """Add sections; registering one address again replaces it."""
    _sections.update({section.url_name: section for section in sections})


def administration_tabs(*, user: Any, current: str = "") -> list[TabLink]:
    """The sections the person may open, in order; `current` is the url name of the selected one."""
    found = [section for section in _ordered() if user.has_perm(section.permission)]
    return [TabLink(section.label, reverse(section.url_name), section.url_name == current) for section in found]


def account_page_url(*, user: Any, account_id: int) -> str:
    """The page about a CRM account that the person may open; empty when there is none."""
    for section in _ordered():
        if section.account_url_name and user.has_perm(section.permission):
            try:
                return reverse(section.account_url_name, args=[account_id])
            except NoReverseMatch:
                continue
    return ""


def _ordered() -> list[AdministrationSection]:
    return sorted(_sections.values(), key=lambda section: section.order)
