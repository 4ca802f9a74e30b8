"""The names that people read for Zendesk's limits."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LIMIT_LABELS: Mapping[str, str | Promise] = {
    "account": _("All calls to the account"),
    "tickets-update": _("Updates of single tickets"),
    "users-update": _("Updates of single users"),
    "ticket-fields-index": _("Reading ticket fields"),
    "tickets-index": _("Reading lists of tickets"),
    "search-index": _("Searches"),
    "tickets-create": _("Creation of tickets"),
    "custom-objects": _("Calls about custom objects"),
    "per-ticket-updates": _("Updates of the same ticket"),
    "create-update-user": _("Updates of the same user"),
    "organization-update": _("Updates of the same organization"),
    "inflight-jobs": _("Bulk jobs under way"),
}
