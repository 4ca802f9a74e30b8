"""What the acting user may do: administrators all, custom roles what they say, light agents next to nothing."""

from demo.zendesk.replies import not_allowed, objects_not_allowed
from demo.zendesk.state import Account, Record

LIGHT_AGENT = 1
ROLE_WORDS = {"admin": "Administrator", "agent": "Agent", "end-user": "End user"}


def role_of(account: Account, user: Record) -> Record:
    """The configuration of the user's custom role; empty when there is none."""
    role = account.find("custom_roles", user.get("custom_role_id"))
    return dict(role["configuration"]) if role else {}


def role_name(account: Account, user: Record) -> str:
    """The role in words."""
    role = account.find("custom_roles", user.get("custom_role_id"))
    return str(role["name"]) if role and user["role"] == "agent" else ROLE_WORDS[user["role"]]


def is_admin(user: Record) -> bool:
    """Is this an administrator?"""
    return bool(user["role"] == "admin")


def is_light(user: Record) -> bool:
    """Is this a light agent?"""
    return bool(user["role"] == "agent" and user["role_type"] == LIGHT_AGENT)


def require_agent(user: Record) -> None:
    """End users do not reach the agents' API."""
    if user["role"] == "end-user":
        raise not_allowed()


def require_admin(user: Record) -> None:
    """Some calls are for administrators."""
    if not is_admin(user):
        raise not_allowed()


def can_see_ticket(account: Account, user: Record, ticket: Record) -> bool:
    """Does the user's ticket restriction leave this ticket visible?"""
    restriction = user.get("ticket_restriction")
    if is_admin(user) or not restriction:
        return True
    mine = {
        "assigned": ticket["assignee_id"] == user["id"],
        "groups": ticket["group_id"] == user["default_group_id"],
        "organization": ticket["organization_id"] == user["organization_id"],
        "requested": ticket["requester_id"] == user["id"],
    }
    return bool(mine.get(restriction, True))


def require_ticket_editing(account: Account, user: Record, change: Record) -> None:
    """Refuse ticket updates beyond the user's role; a light agent may add an internal note and nothing else."""
    if is_admin(user):
        return
    require_agent(user)
    if is_light(user):
        if set(change) - {"comment", "metadata"}:
            raise not_allowed()
        return
    if not role_of(account, user).get("ticket_editing", True):
        raise not_allowed()


def only_private_comments(account: Account, user: Record) -> bool:
    """Must the user's comments be internal?"""
    if is_admin(user):
        return False
    return is_light(user) or role_of(account, user).get("ticket_comment_access") == "none"


def require_user_editing(account: Account, actor: Record, target: Record | None) -> None:
    """Refuse edits of a profile beyond the role; agents' profiles are for administrators and themselves."""
    if is_admin(actor):
        return
    require_agent(actor)
    if target is not None and target["role"] != "end-user":
        if target["id"] != actor["id"]:
            raise not_allowed()
        return
    access = role_of(account, actor).get("end_user_profile_access", "full")
    if is_light(actor) or access not in ("edit", "full"):
        raise not_allowed()


def require_organization_editing(account: Account, actor: Record, change: Record) -> None:
    """Refuse edits of an organization beyond the role; some roles may write its notes only."""
    if is_admin(actor):
        return
    require_agent(actor)
    role = role_of(account, actor)
    if role.get("organization_editing", False) and not is_light(actor):
        return
    if role.get("organization_notes_editing", False) and set(change) <= {"notes"}:
        return
    raise not_allowed()


def require_object_access(actor: Record, *, writing: bool) -> None:
    """Custom objects: agents read, light agents do not write."""
    if actor["role"] == "end-user" or (writing and is_light(actor)):
        raise objects_not_allowed()
