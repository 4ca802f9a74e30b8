"""What the switchboard can do to an account; its page and the control API both call these."""

from datetime import datetime
from typing import Any

from demo.zendesk.acting_user import INACTIVE_ANSWERS
from demo.zendesk.limits import BUCKETS, PLANS
from demo.zendesk.merging import merge_user
from demo.zendesk.oauth import expire_access, issue_tokens, revoke_all
from demo.zendesk.screens import ANSWERS
from demo.zendesk.seed_roles import role_id
from demo.zendesk.state import Account, Record

FIELD_TABLES = {"ticket": "ticket_fields", "user": "user_fields", "organization": "organization_fields"}
FIELD_TABLES["custom_object"] = "custom_object_fields"
ROLES: dict[str, Record] = {
    "admin": {"role": "admin", "role_type": 4, "named": "Administrator"},
    "agent": {"role": "agent", "role_type": 0, "named": "Support agent"},
    "limited": {"role": "agent", "role_type": 0, "named": "Tickets only"},
    "light": {"role": "agent", "role_type": 1, "named": "Light agent"},
    "end-user": {"role": "end-user", "role_type": None, "named": None},
}
USER_ACTIONS = ("suspend", "unsuspend", "delete", "restore", "demote", "promote", "merge")
SETTINGS: dict[str, Any] = {"inactive_user_answer": "401", "search_lag_s": 0, "precise_seconds": 0}
SETTINGS |= {"talk_partner": "on"}
CHOICES = {"inactive_user_answer": INACTIVE_ANSWERS, "talk_partner": ANSWERS}


class SwitchRefused(ValueError):
    """The switchboard was asked for something it does not know."""


def find_user(account: Account, wanted: str) -> Record:
    """A user by id, or `acting`: the user of the newest token, else the system user."""
    if wanted == "acting":
        tokens = account.table("oauth_tokens")
        key = tokens[max(tokens)]["user_id"] if tokens else account.setting("system_user_id", 0)
    else:
        key = int(wanted) if wanted.isdigit() else 0
    user = account.find("users", key)
    if user is None:
        raise SwitchRefused(f"no user {wanted}")
    return user


def switch_user(account: Account, wanted: str, values: dict[str, Any], now: datetime) -> Record:
    """{"action": suspend|unsuspend|delete|restore|demote|promote, "role": admin|agent|limited|light|end-user}.

    {"action": "merge", "into": id}: the user's tickets, addresses and numbers go to another one.
    """
    user, action = find_user(account, wanted), values.get("action")
    changes: dict[str, Record] = {
        "suspend": {"suspended": True},
        "unsuspend": {"suspended": False},
        "delete": {"active": False, "email": None},
        "restore": {"active": True, "suspended": False},
    }
    if action == "merge":
        change = merge_user(account, user, find_user(account, str(values.get("into", ""))))
    elif action in ("demote", "promote"):
        change = role_change(account, str(values.get("role", "light" if action == "demote" else "admin")))
    elif action in changes:
        change = changes[action]
    else:
        raise SwitchRefused(f"action must be one of {', '.join(USER_ACTIONS)}")
    fields = [{"field": name, "before": user.get(name), "after": value} for name, value in change.items()]
    account.put("users", user["id"], user | change)
    who = {"actor": "Switchboard", "kind": "users", "key": user["id"], "label": user["name"]}
    account.note_change(at=now, fields=fields, **who)
    account.commit()
    return user | change


def role_change(account: Account, role: str) -> Record:
    """The properties that make a role."""
    if role not in ROLES:
        raise SwitchRefused(f"role must be one of {', '.join(ROLES)}")
    named = ROLES[role]["named"]
    return {
        "role": ROLES[role]["role"],
        "role_type": ROLES[role]["role_type"],
        "custom_role_id": role_id(account, str(named)) if named else None,
        "only_private_comments": role == "light",
    }


def switch_limits(account: Account, values: dict[str, Any]) -> dict[str, Any]:
    """{"enabled": bool, "plan": name, "values": {bucket: total}}; missing keys stay as they are."""
    unknown = set(values.get("values") or {}) - set(BUCKETS)
    if unknown or values.get("plan", "enterprise") not in PLANS:
        raise SwitchRefused(f"plans: {', '.join(PLANS)}; buckets: {', '.join(BUCKETS)}")
    account.limits.restore(values)
    account.set_setting("limits", account.limits.export())
    account.commit()
    return account.limits.export()


def switch_refresh(account: Account, values: dict[str, Any]) -> Any:
    """{"mode": "ok" | "invalid_grant" | "invalid_client" | "500"…, "count": n, "retry_after": s, "probability": 0..1}.

    A slow token endpoint is a fault: {"kind": "slow", "path": "oauth/tokens", "ms": n}.
    """
    mode = str(values.get("mode", "ok"))
    if mode != "ok" and mode not in ("invalid_grant", "invalid_client") and not mode.isdigit():
        raise SwitchRefused("mode must be ok, invalid_grant, invalid_client or a status")
    kept = {"mode": mode, "count": values.get("count"), "retry_after": values.get("retry_after")}
    kept["probability"] = float(values.get("probability", 1.0))
    account.set_setting("refresh", None if mode == "ok" else kept)
    account.commit()
    return account.setting("refresh", None)


def switch_settings(account: Account, values: dict[str, Any]) -> dict[str, Any]:
    """{"inactive_user_answer": "401"|"403"|"anonymous"|"200", "search_lag_s": n, "precise_seconds": bool}.

    "talk_partner": "on"|"404"|"403" – whether records can be popped up on agents' screens, and how it is denied.
    With `precise_seconds` Retry-After, ratelimit-reset and resets= have a decimal (rounded up), see `demo_time`.
    """
    if set(values) - set(SETTINGS):
        raise SwitchRefused(f"settings: {', '.join(SETTINGS)}")
    for name, known in CHOICES.items():
        if str(values.get(name, known[0])) not in known:
            raise SwitchRefused(f"{name}: {', '.join(known)}")
    for name, value in values.items():
        account.set_setting(name, str(value) if name in CHOICES else float(value))
    account.limits.is_precise = bool(account.setting("precise_seconds", 0))
    account.commit()
    return {name: account.setting(name, default) for name, default in SETTINGS.items()}


def switch_tokens(account: Account, action: str, now: datetime) -> int:
    """`revoke` kills every pair, `expire` lets the access tokens end; returns how many."""
    actions = {"revoke": lambda: revoke_all(account), "expire": lambda: expire_access(account, now)}
    if action not in actions:
        raise SwitchRefused("action must be revoke or expire")
    count = actions[action]()
    account.commit()
    return count


def mint_tokens(account: Account, client_id: str, values: dict[str, Any], now: datetime) -> Record:
    """A token pair without the consent page: {"user_id", "scopes", "expires_in", "refresh_token_expires_in"}."""
    user = find_user(account, str(values.get("user_id") or account.setting("system_user_id", 0)))
    scopes = values.get("scopes") or ["read", "write"]
    lives = int(values.get("expires_in", 1800)), int(values.get("refresh_token_expires_in", 2_592_000))
    pair = issue_tokens(account, user_id=user["id"], client_id=client_id, scopes=list(scopes), lives=lives, now=now)
    account.commit()
    return pair | {"user_id": user["id"]}


def switch_field(account: Account, surface: str, key: str, values: dict[str, Any] | None) -> Record | None:
    """Change a field definition behind everybody's back, or take it away (None). `key` is an id, a key or a title."""
    table = FIELD_TABLES.get(surface)
    if table is None:
        raise SwitchRefused(f"fields of: {', '.join(FIELD_TABLES)}")
    for field in account.table(table).values():
        if key in (str(field["id"]), field.get("key"), field["title"]):
            if values is None:
                account.drop(table, field["id"])
            else:
                account.put(table, field["id"], field | {name: value for name, value in values.items() if name != "id"})
            account.commit()
            return account.find(table, field["id"])
    raise SwitchRefused(f"no field {key}")
