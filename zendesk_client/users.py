"""The authorising user and their role."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zendesk_client.errors import AnonymousUser

ROLE_TYPES = {0: "custom", 1: "light_agent", 2: "chat_agent", 3: "contributor", 4: "admin", 5: "billing_admin"}


@dataclass(frozen=True, slots=True)
class Identity:
    """The user every call runs as. ``role``: end-user, agent or admin; ``role_type``: see ``ROLE_TYPES``, "" unknown.

    ``is_active`` is False for a deleted user, ``is_suspended`` for one who may no longer sign in.
    ``ticket_restriction``: organization, groups, assigned, requested, or "" for none.
    """

    id: str
    name: str
    email: str = field(repr=False)
    role: str
    role_type: str = ""
    custom_role_id: str | None = None
    is_active: bool = True
    is_suspended: bool = False
    ticket_restriction: str = ""
    only_private_comments: bool = False
    restricted_agent: bool = False
    time_zone: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class CustomRole:
    """A role of Enterprise accounts; ``configuration`` as Zendesk has it (``ticket_editing``, ``voice_access``, …)."""

    id: str
    name: str
    configuration: Mapping[str, Any]


def read_identity(body: Mapping[str, Any]) -> Identity:
    """Return the user in an answer of ``users/me``.

    Raises AnonymousUser: Zendesk answers 200 for *Anonymous user* when the credentials are worth nothing.
    """
    if not body.get("id"):
        raise AnonymousUser("Zendesk does not know who is calling.", status=200, code="AnonymousUser")
    role_id, role_type = body.get("custom_role_id"), body.get("role_type")
    return Identity(
        id=str(body["id"]),
        name=str(body.get("name") or ""),
        email=str(body.get("email") or ""),
        role=str(body.get("role") or ""),
        role_type=ROLE_TYPES.get(role_type, "") if isinstance(role_type, int) else "",
        custom_role_id=None if role_id is None else str(role_id),
        is_active=body.get("active") is not False,
        is_suspended=body.get("suspended") is True,
        ticket_restriction=str(body.get("ticket_restriction") or ""),
        only_private_comments=body.get("only_private_comments") is True,
        restricted_agent=body.get("restricted_agent") is True,
        time_zone=str(body.get("iana_time_zone") or body.get("time_zone") or ""),
        locale=str(body.get("locale") or ""),
    )


def read_custom_role(body: Mapping[str, Any]) -> CustomRole:
    """Return the role in a ``custom_role`` object."""
    configuration = body.get("configuration")
    return CustomRole(
        id=str(body.get("id") or ""),
        name=str(body.get("name") or ""),
        configuration=configuration if isinstance(configuration, dict) else {},
    )
