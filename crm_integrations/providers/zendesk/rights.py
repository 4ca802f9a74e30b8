"""What the system user may do, read from who they are and from their custom role.

Expected, not proven: the final truth is the answer of the real call. Sources: users/me and custom_roles/{id}
(https://developer.zendesk.com/api-reference/ticketing/account-configuration/custom_roles/).
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm_integrations.providers.base import Right, RightOutcome
from zendesk_client import CustomRole, Identity

PASS, FAIL, UNKNOWN = RightOutcome.PASS, RightOutcome.FAIL, RightOutcome.UNKNOWN

RIGHT_LABELS = {
    "dedicated_user": _("Is an administrator, as recommended"),
    "scopes": _("Consent covers everything that was asked for"),
    "read_tickets": _("Reads all tickets"),
    "write_tickets": _("Edits tickets"),
    "write_notes": _("Adds internal notes to tickets"),
    "write_users": _("Edits users"),
    "write_organizations": _("Edits organizations"),
    "read_custom_objects": _("Reads custom objects"),
}
LIMITED_ROLE_TYPES = frozenset({"light_agent", "contributor"})  # they comment privately and edit nothing


def list_rights(
    identity: Identity, role: CustomRole | None, *, missing_scopes: list[str], has_custom_objects: RightOutcome
) -> list[Right]:
    """The rights list in the order of `RIGHT_LABELS`. `role` is None when there is none or it cannot be read."""
    is_admin = identity.role == "admin"
    return [
        Right("dedicated_user", PASS if is_admin else UNKNOWN, "" if is_admin else identity.role),
        Right("scopes", FAIL if missing_scopes else PASS, " ".join(missing_scopes)),
        Right("read_tickets", _reads_all_tickets(identity, role), identity.ticket_restriction),
        Right("write_tickets", _edits(identity, role, "ticket_editing", (True,))),
        Right("write_notes", _writes_notes(identity)),
        Right("write_users", _edits(identity, role, "end_user_profile_access", ("edit", "full"))),
        Right("write_organizations", _edits(identity, role, "organization_editing", (True,))),
        Right("read_custom_objects", has_custom_objects),
    ]


def may_write(identity: Identity, role: CustomRole | None, entity_type: str) -> bool:
    """Whether the user's role still lets it write at all, asked after Zendesk denied a write.

    A custom role without tickets, or without anything, is a user who was demoted. One that lacks only the other kind of
    record just asked for is a user with fewer rights, whose other deliveries go on.
    """
    tickets, users, organizations = (
        _edits(identity, role, "ticket_editing", (True,)),
        _edits(identity, role, "end_user_profile_access", ("edit", "full")),
        _edits(identity, role, "organization_editing", (True,)),
    )
    needed = [tickets] if entity_type == "ticket" else [tickets, users, organizations]
    return any(outcome is not FAIL for outcome in needed)


def _reads_all_tickets(identity: Identity, role: CustomRole | None) -> RightOutcome:
    if identity.role == "admin":
        return PASS
    if identity.role == "end-user" or identity.ticket_restriction:
        return FAIL
    if role is None:
        return UNKNOWN if identity.custom_role_id else PASS
    return _judge(role.configuration, "ticket_access", ("all",))


def _edits(identity: Identity, role: CustomRole | None, key: str, passing: tuple[Any, ...]) -> RightOutcome:
    if identity.role == "admin":
        return PASS
    if identity.role == "end-user" or identity.role_type in LIMITED_ROLE_TYPES:
        return FAIL
    return UNKNOWN if role is None else _judge(role.configuration, key, passing)


def _writes_notes(identity: Identity) -> RightOutcome:
    return FAIL if identity.role == "end-user" else PASS


def _judge(configuration: Mapping[str, Any], key: str, passing: tuple[Any, ...]) -> RightOutcome:
    if key not in configuration:
        return UNKNOWN
    return PASS if configuration[key] in passing else FAIL
