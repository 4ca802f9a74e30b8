"""Raw tables for operators: read only, because what they hold is recomputed, fenced or audited elsewhere."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from memorialization.models import Attempt, Contact, Delivery, FieldMark, Interaction, InteractionEvent, RecordLane

ROWS = 50


class RawTableAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Looking only, newest first, without counting the table."""

    list_per_page = ROWS
    show_full_result_count = False
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(Contact)
class ContactAdmin(RawTableAdmin):
    """Calls and digital cases."""

    list_display = ("id", "configuration", "contact_id", "created_at")
    list_select_related = ("configuration",)
    search_fields = ("=contact_id",)


@admin.register(InteractionEvent)
class InteractionEventAdmin(RawTableAdmin):
    """Events as they came."""

    list_display = ("id", "type", "event_id", "contact", "occurred_at", "received_at", "origin")
    list_select_related = ("contact",)
    search_fields = ("=event_id",)


@admin.register(Interaction)
class InteractionAdmin(RawTableAdmin):
    """Segments as the fold left them."""

    list_display = ("id", "contact", "channel", "segment_id", "state", "verdict_rule", "due_at", "planned_at")
    list_select_related = ("contact",)
    list_filter = ("state", "channel")
    search_fields = ("=contact__contact_id",)


@admin.register(Delivery)
class DeliveryAdmin(RawTableAdmin):
    """Writes that are owed or were made."""

    list_display = ("id", "entity_type", "record_id", "revision", "state", "reason", "attempt_count", "created_at")
    list_filter = ("state",)
    search_fields = ("=record_id",)


@admin.register(Attempt)
class AttemptAdmin(RawTableAdmin):
    """Tries."""

    list_display = ("id", "lane", "fence", "started_at", "finished_at", "outcome", "status")
    list_select_related = ("lane__account",)
    list_filter = ("outcome",)


@admin.register(RecordLane)
class RecordLaneAdmin(RawTableAdmin):
    """Records with their leases."""

    list_display = ("id", "account", "entity_type", "record_id", "next_due_at", "lease_until", "fence", "lost_leases")
    list_select_related = ("account",)
    search_fields = ("=record_id",)


@admin.register(FieldMark)
class FieldMarkAdmin(RawTableAdmin):
    """Whose value each field of a record holds."""

    list_display = ("id", "lane", "crm_field", "segment_ended_at", "delivery")
    list_select_related = ("lane__account", "delivery")
