"""Tables of the core, one module per noun."""

from crm_integrations.models.accounts import CRMAccount
from crm_integrations.models.audit import AuditEntry
from crm_integrations.models.authentications import Authentication, AuthorizationRequest
from crm_integrations.models.budgets import CallBudget, CallMinute
from crm_integrations.models.catalogue import CatalogueSnapshot
from crm_integrations.models.configurations import ClosedCasePolicy, Configuration
from crm_integrations.models.contact_records import FoundRecord, RecordCreation
from crm_integrations.models.intake_keys import IntakeKey
from crm_integrations.models.mappings import DataMapping
from crm_integrations.models.users import User

__all__ = [
    "AuditEntry",
    "Authentication",
    "AuthorizationRequest",
    "CRMAccount",
    "CallBudget",
    "CallMinute",
    "CatalogueSnapshot",
    "ClosedCasePolicy",
    "Configuration",
    "DataMapping",
    "FoundRecord",
    "IntakeKey",
    "RecordCreation",
    "User",
]
