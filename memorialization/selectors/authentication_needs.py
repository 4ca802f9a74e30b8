"""Deliveries that still need an authentication which no configuration uses any more."""

from django.utils.translation import gettext as _

from crm_integrations.models import Authentication
from memorialization.models import BulkWrite


def explain_need(authentication: Authentication) -> str:
    """Only who sent a bulk write may ask what became of it; "" when none is under way."""
    under_way = BulkWrite.objects.exclude(state=BulkWrite.State.CONCLUDED).filter(authentication=authentication)
    if not under_way.exists():
        return ""
    return _("Deliveries that were sent with it are still with the CRM. Try again in a few minutes.")
