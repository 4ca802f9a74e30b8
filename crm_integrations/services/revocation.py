"""Ends tokens at the CRM, as far as that still works; one that cannot be ended lapses by itself."""

import logging

from crm_integrations.encryption import UnreadableSecret
from crm_integrations.models import Authentication
from crm_integrations.providers.base import CRMProvider
from crm_integrations.providers.errors import CRMError

logger = logging.getLogger(__name__)


def readable_token(authentication: Authentication) -> str:
    """The stored access token; "" when no key opens it."""
    try:
        return str(authentication.access_token)
    except UnreadableSecret:
        return ""


def revoke_token(provider: CRMProvider, address: str, access_token: str) -> bool:
    """Whether the CRM was told that nobody uses the token any more."""
    if not access_token:
        return False
    try:
        provider.revoke(address, access_token=access_token)
    except CRMError as error:
        logger.warning("A token of %s:%s could not be revoked: %s", provider.slug, address, type(error).__name__)
        return False
    return True
