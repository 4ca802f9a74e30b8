"""What still needs an authentication besides configurations: the floors above register what they know of it."""

from collections.abc import Callable

from crm_integrations.models import Authentication

Need = Callable[[Authentication], str]
"""A sentence that says why it cannot go yet, and what to do; "" when nothing speaks against it."""

_needs: dict[str, Need] = {}


def register_need(name: str, need: Need) -> None:
    """Add a question in `AppConfig.ready`; the same name again replaces it."""
    _needs[name] = need


def find_needs(authentication: Authentication) -> list[str]:
    """Every sentence that speaks against its removal."""
    return [sentence for need in _needs.values() if (sentence := need(authentication))]
