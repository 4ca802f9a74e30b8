"""Short times in words, to the second."""

import math
from datetime import timedelta

from django.utils.translation import ngettext

from crm_integrations.templatetags.moments import duration

IN_SECONDS = timedelta(seconds=90)  # longer waits are told in whole minutes, hours and days


def wait_words(span: timedelta) -> str:
    """A wait to the second while it is short; never negative."""
    if span > IN_SECONDS:
        return duration(span)
    seconds = max(math.ceil(span.total_seconds()), 0)
    return ngettext("%(count)d s", "%(count)d s", seconds) % {"count": seconds}
