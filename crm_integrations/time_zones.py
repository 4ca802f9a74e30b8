"""The names of the world's time zones, as forms offer them and requests are compared with.

Python looks for them on the disk each time it is asked, some 50 ms; they change with an update of the system only.
"""

import zoneinfo
from functools import cache


@cache
def time_zone_names() -> frozenset[str]:
    """Every IANA name that this system knows, read once a process."""
    return frozenset(zoneinfo.available_timezones())
