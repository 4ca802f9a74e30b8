"""Raw tables for operators at /admin/: users can be edited, everything else is for looking; secrets are never shown."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm_integrations.encryption import EncryptedTextField
from crm_integrations.models import (
    AuditEntry,
    Authentication,
    AuthorizationRequest,
    CallBudget,
    CallMinute,
    CatalogueSnapshot,
    Configuration,
    CRMAccount,
    IntakeKey,
    User,
)

HASHES = frozenset({"key_hash", "state_hash", "session_hash"})  # nobody needs them, and they identify secrets


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A table to look at: rows are changed on the product's own pages, which check and record it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Every column but secrets and their hashes."""
        return [field.name for field in self.model._meta.fields if field.name not in secret_columns(self.model)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows without their secrets, so that they show even when those cannot be read."""
        encrypted = [field.name for field in self.model._meta.fields if isinstance(field, EncryptedTextField)]
        return super().get_queryset(request).defer(*encrypted)


def secret_columns(model: type[Model]) -> set[str]:
    """Columns that are never shown."""
    encrypted = {field.name for field in model._meta.fields if isinstance(field, EncryptedTextField)}
    return encrypted | HASHES


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """People: their groups are the roles made by create_roles."""

    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Pages"), {"fields": ("language", "theme")}))
    list_display = ("username", "email", "first_name", "last_name", "is_active", "is_staff")


@admin.register(Configuration)
class ConfigurationAdmin(ReadOnlyAdmin):
    """Configurations, deleted ones too."""

    list_display = ("name", "integration_type", "state", "created_at", "deleted_at")
    list_filter = ("state", "integration_type")
    search_fields = ("name",)


@admin.register(Authentication)
class AuthenticationAdmin(ReadOnlyAdmin):
    """Authentications without their tokens."""

    list_display = ("name", "account", "state", "system_user_name", "access_expires_at")
    list_select_related = ("account",)
    list_filter = ("state",)
    search_fields = ("name",)


@admin.register(CRMAccount)
class CRMAccountAdmin(ReadOnlyAdmin):
    """Accounts with their circuits."""

    list_display = ("address", "provider", "head_room_percent", "circuit_state", "wake_at")


@admin.register(CallBudget)
class CallBudgetAdmin(ReadOnlyAdmin):
    """What may be called of each limit, and blocks."""

    list_display = ("account", "limit_class", "calls", "granted", "foreign", "window_ends_at", "blocked_until")
    list_select_related = ("account",)


@admin.register(CallMinute)
class CallMinuteAdmin(ReadOnlyAdmin):
    """What was called, minute by minute."""

    list_display = ("minute", "account", "limit_class", "calls", "limited", "failed")
    list_select_related = ("account",)


@admin.register(AuthorizationRequest)
class AuthorizationRequestAdmin(ReadOnlyAdmin):
    """Trips to consent pages of the last days."""

    list_display = ("address", "provider", "created_by", "created_at", "used_at")
    list_select_related = ("created_by",)


@admin.register(IntakeKey)
class IntakeKeyAdmin(ReadOnlyAdmin):
    """Keys without what makes them keys."""

    list_display = ("label", "hint", "kind", "configuration", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("configuration",)


@admin.register(CatalogueSnapshot)
class CatalogueSnapshotAdmin(ReadOnlyAdmin):
    """What accounts offered when last asked."""

    list_display = ("account", "entity_type", "fetched_at")
    list_select_related = ("account",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ("at", "actor_name", "action", "subject", "configuration")
    list_select_related = ("configuration",)
    list_filter = ("action",)
    search_fields = ("actor_name", "subject")
    date_hierarchy = "at"
