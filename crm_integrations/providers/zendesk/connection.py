"""One live Zendesk account behind the port."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from crm_integrations.providers.base import (
    BulkProgress,
    BulkSearch,
    CommentTrace,
    CRMField,
    CRMRecord,
    CRMValue,
    EntityType,
    FieldType,
    LimitReport,
    Right,
    RightOutcome,
    SystemUser,
    WriteAnswer,
)
from crm_integrations.providers.errors import GrantEnded
from crm_integrations.providers.zendesk.bulk import build_progress, search_jobs
from crm_integrations.providers.zendesk.creations import ZendeskCreations
from crm_integrations.providers.zendesk.errors import translated_errors
from crm_integrations.providers.zendesk.fields import build_definitions, build_field, build_record
from crm_integrations.providers.zendesk.limits import build_reports
from crm_integrations.providers.zendesk.names import LookupTargets, read_named
from crm_integrations.providers.zendesk.rights import list_rights, may_write
from crm_integrations.providers.zendesk.scopes import find_missing_scopes
from crm_integrations.providers.zendesk.searches import ZendeskSearches
from crm_integrations.providers.zendesk.titles import STANDARD_ENTITY_TYPES
from crm_integrations.providers.zendesk.write_answers import build_answer, has_comment
from zendesk_client import (
    CustomRole,
    Forbidden,
    Identity,
    NotFound,
    WriteOptions,
    ZendeskClient,
    ZendeskError,
)
from zendesk_client import LimitReport as ZendeskLimitReport

MOST_IN_BULK = 100  # records a job takes
METADATA_KEY = "agent_integrations_delivery"
"""Under this name a comment's audit carries the id of the delivery that posted it."""


class ZendeskConnection(ZendeskSearches, ZendeskCreations):
    """Wraps one `ZendeskClient`; every error leaves translated. `account` names it among those of `targets`."""

    def __init__(
        self, client: ZendeskClient, reports: dict[str, ZendeskLimitReport], *, account: str, targets: LookupTargets
    ) -> None:
        self._client = client
        self._reports = reports
        self._account = account
        self._targets = targets
        self._agents = {}

    def identify(self) -> SystemUser:
        """See the port."""
        identity = self._whoami()
        return SystemUser(id=identity.id, name=identity.name, email=identity.email, role=identity.role)

    def confirm_writing(self, entity_type: str) -> None:
        """See the port."""
        identity = self._whoami()
        if not may_write(identity, self._read_role(identity), entity_type):
            raise GrantEnded(_("The role of the Zendesk user no longer lets it write."))

    def check_rights(self, *, granted_scopes: Sequence[str]) -> list[Right]:
        """See the port."""
        identity = self._whoami()
        return list_rights(
            identity,
            self._read_role(identity),
            missing_scopes=find_missing_scopes(granted_scopes),
            has_custom_objects=self._try_custom_objects(),
        )

    def list_entity_types(self) -> list[EntityType]:
        """See the port. Plans without custom objects have the three standard types."""
        standard = [EntityType(*titles) for titles in STANDARD_ENTITY_TYPES]
        with translated_errors():
            try:
                found = self._client.list_custom_objects()
            except (Forbidden, NotFound):
                found = []
        custom = [EntityType(each.entity_type, each.title, each.title_pluralized, is_custom=True) for each in found]
        return standard + custom

    def list_fields(self, entity_type: str) -> list[CRMField]:
        """See the port."""
        with translated_errors():
            return [build_field(definition) for definition in self._client.list_fields(entity_type)]

    def get_records(
        self,
        entity_type: str,
        ids: Sequence[str],
        *,
        types: Mapping[str, FieldType] | None = None,
        named: Collection[str] = (),
    ) -> dict[str, CRMRecord]:
        """See the port. A deleted user, whom Zendesk still shows, does not exist."""
        with translated_errors():
            records, names = read_named(
                self._client, entity_type, ids, named, build_definitions(types), lambda: self._find_targets(entity_type)
            )
        living = [record for record in records if not record.is_gone]
        return {record.id: build_record(record, names.get(record.id)) for record in living}

    def update_record(
        self,
        entity_type: str,
        record_id: str,
        values: Mapping[str, CRMValue],
        *,
        delivery_id: str,
        types: Mapping[str, FieldType] | None = None,
    ) -> WriteAnswer:
        """See the port. Tags go first, through their own address: an update of the record would replace them."""
        plain = {key: value for key, value in values.items() if key != "tags"}
        with translated_errors():
            tags = self._add_tags(entity_type, record_id, values.get("tags"))
            if not plain:
                return WriteAnswer(None, 200, {"fields": ["tags"]}, {"tags": len(tags)})
            options = WriteOptions(metadata={METADATA_KEY: delivery_id}) if "comment" in plain else WriteOptions()
            written = self._client.update(
                entity_type, record_id, plain, fields=build_definitions(types), options=options
            )
        return build_answer(written, f"{entity_type} {record_id}", values, status=200)

    def find_comment(self, entity_type: str, record_id: str, *, delivery_id: str) -> CommentTrace:
        """See the port. Zendesk has no granular scope for audits, so reading them may be denied: then nobody knows."""
        if entity_type != "ticket":
            return CommentTrace(is_posted=False)
        try:
            for audit in self._client.iterate_ticket_audits(record_id):
                metadata = audit.get("metadata")
                custom = metadata.get("custom") if isinstance(metadata, dict) else None
                is_of_delivery = isinstance(custom, dict) and custom.get(METADATA_KEY) == delivery_id
                if is_of_delivery and has_comment(audit) is not False:
                    return CommentTrace(is_posted=True)
        except (Forbidden, NotFound):
            return CommentTrace(is_posted=None)
        except ZendeskError as error:
            with translated_errors():
                raise error
        return CommentTrace(is_posted=False)

    def bulk_limit(self, entity_type: str, field_types: Collection[FieldType]) -> int:
        """See the port. A comment is written alone; only jobs of tickets add tags, all others would replace them."""
        if FieldType.COMMENT in field_types or (FieldType.TAGS in field_types and entity_type != "ticket"):
            return 0
        return MOST_IN_BULK

    def update_records(
        self,
        entity_type: str,
        updates: Mapping[str, Mapping[str, CRMValue]],
        *,
        types: Mapping[str, FieldType] | None = None,
    ) -> BulkProgress:
        """See the port."""
        with translated_errors():
            job = self._client.update_many(entity_type, updates, fields=build_definitions(types))
        return build_progress(job, list(updates))

    def read_bulk(self, handles: Sequence[str]) -> dict[str, BulkProgress]:
        """See the port."""
        with translated_errors():
            return {job.id: build_progress(job) for job in self._client.show_jobs(handles)}

    def find_bulk(self, entity_type: str, record_ids: Sequence[str], *, since: datetime) -> BulkSearch:
        """See the port. Jobs do not say of which type their records are; ids of different types hardly meet."""
        with translated_errors():
            return search_jobs(self._client.list_recent_jobs(), record_ids, since=since)

    def report_limits(self) -> list[LimitReport]:
        """See the port."""
        return build_reports(self._reports.values())

    def close(self) -> None:
        """See the port."""
        self._client.close()

    def _whoami(self) -> Identity:
        with translated_errors():
            identity = self._client.whoami()
        if not identity.is_active or identity.is_suspended:
            raise GrantEnded(_("The Zendesk user is deleted or suspended."), is_user_gone=True)
        return identity

    def _read_role(self, identity: Identity) -> CustomRole | None:
        if identity.role == "admin" or identity.custom_role_id is None:
            return None
        with translated_errors():
            try:
                return self._client.custom_role(identity.custom_role_id)
            except (Forbidden, NotFound):
                return None

    def _try_custom_objects(self) -> RightOutcome:
        with translated_errors():
            try:
                self._client.list_custom_objects()
            except Forbidden:
                return RightOutcome.FAIL
            except NotFound:
                return RightOutcome.UNKNOWN
        return RightOutcome.PASS

    def _find_targets(self, entity_type: str) -> Mapping[str, str]:
        """What the account's own lookup fields point to; nothing where its fields may not be read."""
        try:
            return self._targets.find(self._account, entity_type, self._client.list_fields)
        except (Forbidden, NotFound):
            return {}

    def _add_tags(self, entity_type: str, record_id: str, tags: CRMValue) -> tuple[str, ...]:
        return self._client.add_tags(entity_type, record_id, tags) if isinstance(tags, list) and tags else ()
