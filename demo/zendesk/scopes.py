"""OAuth scopes: which exist, what they mean in words, and whether a token's scopes cover a call."""

RESOURCES = (
    "tickets", "users", "organizations", "custom_objects", "groups", "webhooks", "auditlogs", "hc", "apps",
    "automations", "targets", "triggers", "macros", "requests", "satisfaction_ratings", "dynamic_content", "themes",
    "zis", "brands", "account_settings", "sla_policies", "ticket_attachments", "ticket_views", "any_channel",
    "web_widget", "security",
)  # fmt: skip
CEILING = {"read", "write", *(f"{name}:{access}" for name in RESOURCES for access in ("read", "write"))}
OUTSIDE_CEILING = {"impersonate"}  # known to Zendesk, but not registered for the client
WORDS = {
    "read": "Read all data of the account",
    "write": "Change all data of the account",
    "tickets": "tickets",
    "users": "users",
    "organizations": "organizations",
    "custom_objects": "custom objects and their records",
}


def describe_scope(scope: str) -> str:
    """A scope as a sentence on the consent page."""
    if scope in WORDS:
        return WORDS[scope]
    resource, _, access = scope.partition(":")
    if scope not in CEILING:
        return f"“{scope}” (unknown to Zendesk, allows nothing)"
    what = WORDS.get(resource, resource.replace("_", " "))
    return f"Create, change and delete {what}" if access == "write" else f"Read {what}"


def is_covered(granted: list[str], resource: str | None, access: str) -> bool:
    """Does the token reach this resource? `resource` None: only the broad scope does. Unknown scopes cover nothing."""
    return access in granted or (resource is not None and f"{resource}:{access}" in granted)


def required_scopes(resource: str | None, access: str) -> str:
    """The scopes a 403 names."""
    return f"{resource}:{access}, {access}" if resource else access
