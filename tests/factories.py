"""Rows for tests, with sensible defaults; every factory takes the columns to differ as keywords."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.utils import timezone

from crm_integrations.models import Authentication, Configuration, CRMAccount, User
from crm_integrations.providers.base import CRMField
from dynamic_data.models import DynamicDataMapping, ShownEntity, ShownField
from memorialization.mappings.contents import EntityContents, MappingContents, Row, field_as_json
from memorialization.models import MappedEntity, MappedField, MappingVersion, MemorializationMapping
from tests.memory_provider import FIELDS

Definitions = Mapping[str, Sequence[CRMField]]
MADE_AT = datetime(2020, 1, 1, tzinfo=UTC)  # of mappings: before whatever a test has happen
_numbers = itertools.count(1)


def make_user(*permissions: str, **columns: Any) -> User:
    """A person with exactly these permissions (`app.codename`)."""
    columns.setdefault("username", f"person{next(_numbers)}")
    user = User.objects.create_user(password="right horse battery", **columns)
    for name in permissions:
        app_label, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app_label, codename=codename))
    return user


def make_authentication(*, address: str = "acme", **columns: Any) -> Authentication:
    """An active authentication of the in-memory CRM."""
    account, _created = CRMAccount.objects.get_or_create(provider="memory", address=address)
    columns.setdefault("name", f"{address} (system user) {next(_numbers)}")
    columns.setdefault("access_token", "access-0")
    columns.setdefault("refresh_token", "refresh-0")
    columns.setdefault("access_expires_at", timezone.now() + timedelta(hours=1))
    columns.setdefault("system_user_id", "900")
    return Authentication.objects.create(account=account, **columns)


def make_configuration(*, authentication: Authentication | None = None, **columns: Any) -> Configuration:
    """An active configuration of the in-memory CRM."""
    columns.setdefault("name", f"Support {next(_numbers)}")
    columns.setdefault("integration_type", "memory")
    columns.setdefault("state", Configuration.State.ACTIVE)
    columns.setdefault("record_variables", {"ticket": "memory_ticket_id", "user": "memory_user_id"})
    columns.setdefault("time_zone", "America/Toronto")
    authentication = authentication or make_authentication(address=columns.pop("address", "acme"))
    return Configuration.objects.create(authentication=authentication, **columns)


def make_mapping(
    configuration: Configuration,
    rows: dict[str, list[tuple[str, str, str]]],
    *,
    known: Definitions = FIELDS,
    **columns: Any,
) -> MemorializationMapping:
    """A mapping with its first version. `rows`: entity type → [(CRM field key, channel, source)] of `known` ones."""
    columns.setdefault("name", f"Mapping {next(_numbers)}")
    mapping = MemorializationMapping.objects.create(configuration=configuration, **columns)
    entities = []
    for position, (entity_type, triples) in enumerate(rows.items()):
        definitions = {definition.key: definition for definition in known[entity_type]}
        entity = MappedEntity.objects.create(mapping=mapping, entity_type=entity_type, position=position)
        for row_position, (key, channel, source) in enumerate(triples):
            MappedField.objects.create(
                entity=entity,
                crm_field=key,
                channel=channel,
                source=source,
                position=row_position,
                definition=field_as_json(definitions[key]),
            )
        entities.append(
            EntityContents(
                entity_type, tuple(Row(definitions[key], channel, source) for key, channel, source in triples)
            )
        )
    contents = MappingContents(mapping.name, mapping.description, mapping.is_active, tuple(entities))
    version = MappingVersion.objects.create(mapping=mapping, number=mapping.version, contents=contents.as_json())
    MappingVersion.objects.filter(pk=version.pk).update(created_at=MADE_AT)
    return mapping


def make_dynamic_mapping(
    configuration: Configuration, fields: dict[str, list[str]], *, known: Definitions = FIELDS, **columns: Any
) -> DynamicDataMapping:
    """A dynamic data mapping. `fields`: entity type → keys of the fields that agents see; `known`: the CRM's."""
    columns.setdefault("name", f"Card {next(_numbers)}")
    mapping = DynamicDataMapping.objects.create(configuration=configuration, **columns)
    for position, (entity_type, keys) in enumerate(fields.items()):
        definitions = {definition.key: definition for definition in known[entity_type]}
        entity = ShownEntity.objects.create(mapping=mapping, entity_type=entity_type, position=position)
        for place, key in enumerate(keys):
            ShownField.objects.create(
                entity=entity, crm_field=key, position=place, definition=field_as_json(definitions[key])
            )
    return mapping
