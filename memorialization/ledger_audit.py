"""What people read for the acts of the ledger in the audit trail."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LEDGER_ACTIONS: Mapping[str, str | Promise] = {
    "delivery_replayed": _("Delivery replayed"),
    "record_linked": _("Record linked by hand"),
    "record_unlinked": _("Record unlinked by hand"),
}
