"""What people read for the acts of the ledger in the audit trail."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LEDGER_ACTIONS: Mapping[str, str | Promise] = {
    "delivery_replayed": _("Delivery replayed"),
    "replay_run_started": _("Replay of many deliveries started"),
    "replay_run_finished": _("Replay of many deliveries finished"),
    "replay_run_cancelled": _("Replay of many deliveries cancelled"),
    "replay_run_taken_back": _("What a replay had queued taken back"),
    "replay_run_failed": _("Replay of many deliveries failed"),
    "record_linked": _("Record linked by hand"),
    "record_unlinked": _("Record unlinked by hand"),
    "contact_erased": _("Data of a contact erased"),
    "history_pruned": _("Old history deleted"),
    "test_event_sent": _("Test event sent"),
}
