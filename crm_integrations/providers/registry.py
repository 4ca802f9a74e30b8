"""Which CRMs there are: settings.CRM_PROVIDERS, a list of dotted paths."""

from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from crm_integrations.providers.base import CRMProvider


class UnknownProvider(LookupError):
    """No provider of that name is configured."""


@lru_cache(maxsize=4)
def _load_providers(paths: tuple[str, ...]) -> dict[str, CRMProvider]:
    providers = [import_string(path)() for path in paths]
    return {provider.slug: provider for provider in providers}


def all_providers() -> list[CRMProvider]:
    """Every integration type, in the order of the settings."""
    return list(_load_providers(tuple(settings.CRM_PROVIDERS)).values())


def get_provider(slug: str) -> CRMProvider:
    """The integration type called `slug`. Raises UnknownProvider."""
    try:
        return _load_providers(tuple(settings.CRM_PROVIDERS))[slug]
    except KeyError as error:
        raise UnknownProvider(f"No integration type is called {slug!r}; see settings.CRM_PROVIDERS.") from error
