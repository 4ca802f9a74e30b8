"""The OAuth scopes this product asks for, and what was not granted.

Broad `read` because search, audits and job statuses have no granular scope; writing is asked for by resource.
"""

from collections.abc import Iterable

SCOPES = ("read", "tickets:write", "users:write", "organizations:write", "custom_objects:write")
BROAD_WRITE = "write"


def find_missing_scopes(granted: Iterable[str]) -> list[str]:
    """Scopes that were asked for and are not covered by what was granted, in the order asked."""
    held = set(granted)
    return [scope for scope in SCOPES if scope not in held and not (scope.endswith(":write") and BROAD_WRITE in held)]
