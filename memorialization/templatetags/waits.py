"""Template filters for short times, and for counts that end at a bound."""

from datetime import datetime, timedelta

from django import template
from django.utils.translation import gettext as _

from crm_integrations.templatetags.moments import number
from memorialization.selectors.account_backlogs import BoundedCount
from memorialization.waits import wait_words

register = template.Library()


@register.filter
def wait(span: timedelta) -> str:
    """A length of time."""
    return wait_words(span)


@register.filter
def wait_until(at: datetime, now: datetime) -> str:
    """How long from now until then."""
    return wait_words(at - now)


@register.filter
def age(at: datetime, now: datetime) -> str:
    """How long it has been."""
    return wait_words(now - at)


@register.filter
def bounded(count: BoundedCount) -> str:
    """The figure, or that it is larger."""
    figure = number(count.value)
    return _("over %(count)s") % {"count": figure} if count.is_more else figure
