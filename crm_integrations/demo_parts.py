"""What each app adds to the demo's configuration while it is made; apps register theirs in `AppConfig.ready`."""

from collections.abc import Callable

from crm_integrations.models import Configuration, User

DemoPart = Callable[[Configuration, User], None]
"""Adds what is missing; may raise MappingRefused or the port's errors, and may run twice."""

_parts: dict[str, DemoPart] = {}


def register_demo_part(name: str, part: DemoPart) -> None:
    """Add a part; the same name again replaces it."""
    _parts[name] = part


def add_demo_parts(configuration: Configuration, actor: User) -> None:
    """Let every app add its part."""
    for part in _parts.values():
        part(configuration, actor)
