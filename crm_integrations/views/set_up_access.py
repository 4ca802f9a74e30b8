"""Who may walk a configuration through its set-up: those who may edit any, and for drafts those who may create them."""

from django.http import HttpRequest

from crm_integrations.models import Configuration
from crm_integrations.permissions import CREATE_CONFIGURATIONS, EDIT_CONFIGURATIONS
from crm_integrations.views.access import check_permissions


def may_set_up(request: HttpRequest, configuration: Configuration) -> bool:
    """Whether the person may go on with this configuration's set-up or change its account."""
    is_draft = configuration.state == Configuration.State.DRAFT
    return request.user.has_perm(EDIT_CONFIGURATIONS) or (is_draft and request.user.has_perm(CREATE_CONFIGURATIONS))


def check_may_set_up(request: HttpRequest, configuration: Configuration) -> None:
    """Raise MissingPermission when the person may not."""
    if not may_set_up(request, configuration):
        check_permissions(request, EDIT_CONFIGURATIONS)
