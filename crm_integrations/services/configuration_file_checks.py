"""What a configuration file may say, checked key by key; every doubt is noted with its path, nothing is written."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm_integrations.configuration_sections import SECTION_KEYS, find_section
from crm_integrations.file_reading import FileObject
from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.models.configurations import validate_time_zone
from crm_integrations.providers.base import CRMProvider
from crm_integrations.providers.registry import UnknownProvider, get_provider
from crm_integrations.services.matching_files import check_matching

SETTINGS_KEYS = ("timeZone", "acwLimitMinutes", "contactEndsFirstVoice", "memorializeOnClosed", "recordMatching")
NAME_LIMIT, DESCRIPTION_LIMIT, DOMAIN_LIMIT = 100, 1000, 200  # characters, as the columns
ACW_MINUTES = (1, 1440)


def check_provider(root: FileObject) -> CRMProvider | None:
    """The integration type that the file names."""
    slug = root.text("integrationType")
    try:
        return get_provider(slug) if slug else None
    except UnknownProvider:
        root.refuse("integrationType", _("There is no integration type “%(name)s”.") % {"name": slug})
        return None


def check_authentication(root: FileObject, wanted: str, provider: CRMProvider | None) -> Authentication | None:
    """The account to check against, `wanted` in place of the file's own; none is fine when nothing needs checking."""
    name = root.text("authentication", default="")
    name = wanted.strip() or name
    if not name:
        if any(root.values.get(key) for key in SECTION_KEYS):
            root.refuse("authentication", _("Name an authentication: mappings are checked against its account."))
        return None
    found = Authentication.objects.select_related("account").filter(name__iexact=name).first()
    if found is None:
        root.refuse("authentication", _("There is no authentication “%(name)s”. Name another.") % {"name": name})
    elif provider and found.account.provider != provider.slug:
        words = {"name": found.name, "type": provider.label}
        root.refuse("authentication", _("The authentication “%(name)s” is not one of %(type)s.") % words)
    else:
        return found
    return None


def check_columns(
    root: FileObject, provider: CRMProvider | None, authentication: Authentication | None
) -> dict[str, Any]:
    """The configuration's own columns; it is active at once when its authentication is."""
    is_active = authentication is not None and not authentication.is_held
    return {
        "name": _check_name(root),
        "description": root.text("description", default="", limit=DESCRIPTION_LIMIT),
        "integration_type": provider.slug if provider else "",
        "authentication": authentication,
        "external_domain": _check_domain(root, provider),
        "state": Configuration.State.ACTIVE if is_active else Configuration.State.DRAFT,
        **_check_settings(root.child("settings"), provider),
    }


def _check_name(root: FileObject) -> str:
    name = root.text("name", limit=NAME_LIMIT)
    present = Configuration.objects.exclude(state=Configuration.State.DELETED)
    if name and present.filter(name__iexact=name).exists():
        root.refuse("name", name_taken())
    return name


def name_taken() -> str:
    """Also what the database says when somebody took the name between check and import."""
    return _("Another configuration has this name already.")


def _check_domain(root: FileObject, provider: CRMProvider | None) -> str:
    key = "externalScreenpopDomain"
    domain = root.text(key, default="", limit=DOMAIN_LIMIT)
    if not domain or provider is None:
        return ""
    if not provider.asks_external_domain:
        root.refuse(key, _("This integration type has no such domain."))
        return ""
    try:
        return provider.clean_external_domain(domain)
    except ValueError as error:
        root.refuse(key, str(error))
        return ""


def _check_settings(settings: FileObject, provider: CRMProvider | None) -> dict[str, Any]:
    settings.allow(*SETTINGS_KEYS)
    low, high = ACW_MINUTES
    return {
        "time_zone": _check_time_zone(settings),
        "acw_limit_minutes": settings.whole("acwLimitMinutes", default=60, low=low, high=high),
        "contact_ends_first_voice": settings.flag("contactEndsFirstVoice", default=False),
        "memorialize_on_closed": settings.flag("memorializeOnClosed", default=False),
        **check_matching(settings.child("recordMatching"), provider),
    }


def _check_time_zone(settings: FileObject) -> str:
    usual = str(Configuration._meta.get_field("time_zone").get_default())
    name = settings.text("timeZone", default=usual)
    try:
        validate_time_zone(name)
    except ValidationError as error:
        settings.refuse("timeZone", error.messages[0])
    return name


def check_section(
    root: FileObject, key: str, authentication: Authentication | None, actor: User | None
) -> Sequence[Any]:
    """What a list of the file would create, as its section reads it."""
    entries, section = root.entries(key), find_section(key)
    if not entries.values:
        return []
    if section is None:
        entries.refuse(_("This product cannot take this list yet. Empty it."))
        return []
    if actor and not actor.has_perms(section.create_permissions):
        entries.refuse(_("You may not create these. Ask an administrator for the permission."))
        return []
    if authentication is None:
        return []
    contents, problems = section.check(entries, authentication=authentication)
    root.problems.extend(problems)
    return contents
