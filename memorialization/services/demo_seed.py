"""The demo configuration: made by the steps of the administrator's walk, against the demo CRM on this machine only.

Every step looks first at what is there, so seeding can run twice, or again after it was killed. What a person changed
stays: mappings are made only while the configuration is a draft, and a deactivated configuration stays deactivated.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from crm_integrations.demo_parts import add_demo_parts
from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.providers.base import CRMProvider
from crm_integrations.providers.errors import CRMError
from crm_integrations.providers.registry import all_providers
from crm_integrations.services.authorization import (
    AuthorizationRefused,
    begin_authorization,
    finish_authorization,
    renew,
)
from crm_integrations.services.catalogue import read_fields
from crm_integrations.services.configurations import (
    activate_configuration,
    change_configuration,
    create_draft,
    finish_authentication,
    select_authentication,
)
from crm_integrations.services.mapping_saving import MappingRefused
from crm_integrations.services.rights import recheck_rights
from memorialization.services.demo_consent import ConsentFailed, give_consent, is_on_this_machine
from memorialization.services.demo_mappings import NAME, WISHES, DemoFieldMissing, draft_demo_mapping
from memorialization.services.demo_target import provide_target
from memorialization.services.mappings import create_mapping

MATCHING = {"searches_records": True, "phone_country": "CA"}  # the demo's people call from Canada


class SeedRefused(Exception):
    """The demo is not made here; str() is the sentence that says why."""


@dataclass(frozen=True, slots=True)
class SeededDemo:
    """What seeding led to."""

    configuration: Configuration
    is_new: bool
    has_new_key: bool


def seed_demo(*, subdomain: str, output: Path, now: datetime) -> SeededDemo:
    """Make the demo configuration, or bring it and its file up to date. Raises SeedRefused."""
    provider, actor = _find_demo_provider(subdomain), _find_actor()
    configuration, is_new = _find_configuration(provider, subdomain, actor)
    try:
        _ensure_authentication(configuration, subdomain, actor, now)
        configuration.refresh_from_db()
        if configuration.state == Configuration.State.DRAFT:
            _finish_draft(configuration, provider, subdomain, actor)
    except CRMError as error:
        raise SeedRefused(explain_crm_error(error)) from error
    except (ConsentFailed, MappingRefused) as error:
        raise SeedRefused(str(error)) from error
    except AuthorizationRefused as error:
        words = {"reason": error.reason}
        raise SeedRefused(_("The demo CRM did not give access (%(reason)s).") % words) from error
    except DemoFieldMissing as error:
        words = {"field": str(error)}
        raise SeedRefused(_("The demo CRM has no field called “%(field)s”; reset its account.") % words) from error
    return SeededDemo(
        configuration, is_new, provide_target(configuration=configuration, path=output, actor=actor, now=now)
    )


def demo_name(subdomain: str) -> str:
    """What the configuration and its authentication are called."""
    return f"Demo: {subdomain}"


def _find_demo_provider(subdomain: str) -> CRMProvider:
    """The integration type whose accounts live on this machine: only the demo's do."""
    if not _is_embedded():
        raise SeedRefused(_("The demo belongs to the embedded profile; on this database nothing is seeded."))
    for provider in all_providers():
        if is_on_this_machine(provider.account_url(subdomain)):
            return provider
    raise SeedRefused(_("The CRM's accounts are not on this machine: the demo is never made in a real account."))


def _is_embedded() -> bool:
    """SQLite, or the PostgreSQL that `make run` brings along: one on a Unix socket, for pages on this machine."""
    is_bundled = str(settings.DATABASES["default"].get("HOST", "")).startswith("/")
    return settings.IS_EMBEDDED or (is_bundled and is_on_this_machine(settings.SITE_URL))


def _find_actor() -> User:
    actor = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if actor is None:
        raise SeedRefused(_("There is no administrator yet; make one with manage.py createsuperuser."))
    return actor


def _find_configuration(provider: CRMProvider, subdomain: str, actor: User) -> tuple[Configuration, bool]:
    name = demo_name(subdomain)
    rows = Configuration.objects.select_related("authentication__account").exclude(state=Configuration.State.DELETED)
    found = rows.filter(name__iexact=name).first()
    if found is None:
        description = "Made for the demo, against a stand-in CRM on this machine."
        return create_draft(integration_type=provider.slug, name=name, description=description, actor=actor), True
    account = found.authentication.account if found.authentication else None
    if found.integration_type != provider.slug or (account is not None and account.address != subdomain):
        words = {"name": name}
        raise SeedRefused(_("A configuration called “%(name)s” exists and is not the demo's; rename it.") % words)
    return found, False


def _ensure_authentication(configuration: Configuration, subdomain: str, actor: User, now: datetime) -> None:
    """An authentication that works now: the configuration's, one left over from an earlier seeding, or a new one."""
    authentication = configuration.authentication
    if authentication is None:
        authentication = _left_over(configuration, subdomain)
        if authentication is None or not _works(authentication, actor, now):
            _walk_consent(configuration, subdomain, actor, now, authentication)
        if authentication is not None:
            authentication.refresh_from_db()
            select_authentication(configuration=configuration, authentication=authentication, actor=actor)
    elif not _works(authentication, actor, now):
        _walk_consent(configuration, subdomain, actor, now, authentication)


def _left_over(configuration: Configuration, subdomain: str) -> Authentication | None:
    rows = Authentication.objects.select_related("account").filter(name__iexact=demo_name(subdomain))
    return rows.filter(account__provider=configuration.integration_type, account__address=subdomain).first()


def _works(authentication: Authentication, actor: User, now: datetime) -> bool:
    if authentication.is_held:
        return False
    try:
        recheck_rights(authentication=authentication, actor=actor, now=now)
    except CRMError:
        return False
    return True


def _walk_consent(
    configuration: Configuration, subdomain: str, actor: User, now: datetime, authentication: Authentication | None
) -> None:
    """To the consent page and back, as a browser would; a new access replaces that of `authentication`."""
    session_key = secrets.token_urlsafe(16)
    url = begin_authorization(
        configuration=configuration,
        address=subdomain,
        name=demo_name(subdomain),
        options={},
        actor=actor,
        session_key=session_key,
        now=now,
        authentication=authentication,
    )
    answer = give_consent(url)
    finished = finish_authorization(
        state=answer.state, code=answer.code, error=answer.error, actor=actor, session_key=session_key, now=now
    )
    if finished.pending is not None:  # another system user than before: in the demo that is fine
        renew(request=finished.request, access=finished.pending, actor=actor, now=now)


def _finish_draft(configuration: Configuration, provider: CRMProvider, subdomain: str, actor: User) -> None:
    """The rest of the walk, the switch to active last: until then the next seeding goes on here."""
    domain = provider.clean_external_domain(provider.account_url(subdomain))
    finish_authentication(configuration=configuration, external_domain=domain, actor=actor)
    change_configuration(configuration=configuration, changes=MATCHING, actor=actor)
    if not configuration.memorializationmappings.filter(name=NAME).exists():
        _create_mapping(configuration, actor)
    add_demo_parts(configuration, actor)
    activate_configuration(configuration=configuration, actor=actor)


def _create_mapping(configuration: Configuration, actor: User) -> None:
    authentication = configuration.authentication
    if authentication is None:
        raise SeedRefused(_("The demo configuration lost its authentication while it was made; seed again."))
    fields = {kind: read_fields(authentication=authentication, entity_type=kind) for kind in WISHES}
    create_mapping(configuration=configuration, draft=draft_demo_mapping(fields), actor=actor)
