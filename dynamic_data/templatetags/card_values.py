"""Values of the customer card in its templates."""

import re
from datetime import timedelta

from django import template

from crm_integrations.templatetags.moments import duration

register = template.Library()
ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


@register.filter
def is_address(value: str) -> bool:
    """Whether a value as a whole is a web address, which can be a link."""
    return ADDRESS.fullmatch(value) is not None


@register.filter
def age(seconds: int) -> str:
    """How long ago, in its largest whole unit."""
    return duration(timedelta(seconds=seconds))
