"""The create rule: a case for the contact, and the person when nobody is found; each once per contact (product §6.5).

What is asked of the CRM is the same however often it is asked, so that a repetition is known for one.
"""

from dataclasses import dataclass

from django.conf import settings as django_settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm_integrations.models import Configuration, RecordCreation
from crm_integrations.providers.base import CreationRefused, CreationRequest, CRMConnection, CRMProvider
from crm_integrations.providers.errors import (
    AccessDenied,
    CRMError,
    Misconfigured,
    RecordClosed,
    RecordGone,
    ValueRefused,
)
from crm_integrations.providers.registry import get_provider
from crm_integrations.services.record_creation import contact_key, create_once
from memorialization.match_steps import StepOutcome, Trail
from memorialization.models import Interaction
from memorialization.services.access_checks import AccessCheck
from memorialization.services.callers import CallerSearch, read_name
from memorialization.targeting import SEARCH, TargetingSettings

REFUSALS = (ValueRefused, RecordGone, RecordClosed, AccessDenied, Misconfigured)


class CreationFailed(Exception):
    """The CRM will not make the record as it is asked for; `words` are the CRM's or ours."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass
class RecordMaker:
    """Makes the records of one interaction's contact."""

    connection: CRMConnection
    configuration: Configuration
    interaction: Interaction
    settings: TargetingSettings
    caller: CallerSearch
    access: AccessCheck

    @property
    def provider(self) -> CRMProvider:
        """The CRM's own words for new records."""
        return get_provider(self.configuration.integration_type)

    def create(self, entity_type: str, trail: Trail) -> str | None:
        """The record's id; None when it may not be made. Raises CreationFailed, or a CRMError for another time.

        Nothing is made while it is open which of several people called.
        """
        if entity_type == self.settings.person_type:
            return self._find_owner(trail, for_type=entity_type)
        owner_id = self._find_owner(trail, for_type=entity_type)
        if owner_id is None and self._is_caller_open(for_type=entity_type):
            return None
        return self._make(self._describe_case(owner_id or ""), for_type=entity_type)

    def _is_caller_open(self, *, for_type: str) -> bool:
        try:
            return len(self.caller.people) > 1
        except (*REFUSALS, NotImplementedError) as error:
            self.access.accept(error, for_type)
            return False

    def _find_owner(self, trail: Trail, *, for_type: str) -> str | None:
        """The person, for a record of this type: made for the contact before, found, or made now.

        None when that is open, or may not be.
        """
        person_type = self.settings.person_type
        made = RecordCreation.objects.filter(
            configuration=self.configuration,
            entity_type=person_type,
            key=contact_key(self.interaction.contact.contact_id),
            state=RecordCreation.State.CREATED,
        ).values_list("record_id", flat=True)
        if made:
            return made[0]
        try:
            people = self.caller.people
        except (*REFUSALS, NotImplementedError) as error:
            self.access.accept(error, for_type)
            words = error.message if isinstance(error, CRMError) else ""
            trail.add(SEARCH, StepOutcome.PASSED_OVER, words=words)
            return None  # who it is could not be asked, so nobody is made a second time
        if people or not self.settings.creates_people or not self.caller.clues:
            return people[0].id if len(people) == 1 else None
        return self._make(self._describe_person(), for_type=for_type)

    def _make(self, request: CreationRequest, *, for_type: str) -> str:
        """The id of a new record, made for the sake of one of this type."""
        contact_id = self.interaction.contact.contact_id
        try:
            creation = create_once(
                connection=self.connection,
                configuration=self.configuration,
                request=request,
                key=contact_key(contact_id),
                contact_id=contact_id,
                patience_s=0,
            )
        except REFUSALS as error:
            self.access.accept(error, for_type)
            raise CreationFailed(error.message) from error
        return creation.record.record_id

    def _describe_case(self, owner_id: str) -> CreationRequest:
        clues = self.caller.clues
        who = read_name(interaction=self.interaction, clues=clues) or self.interaction.contact.contact_id
        with override(django_settings.LANGUAGE_CODE):  # whatever the worker's thread did before
            subject = _("Call: %(who)s") if self.interaction.channel == "voice" else _("Conversation: %(who)s")
            text = _("Created for the interaction %(contact)s.") % {"contact": self.interaction.contact.contact_id}
            subject %= {"who": who}
        try:
            return self.provider.build_case(subject=subject, text=text, owner_id=owner_id)
        except (CreationRefused, NotImplementedError) as refused:
            raise CreationFailed(str(refused)) from refused

    def _describe_person(self) -> CreationRequest:
        clues = self.caller.clues
        try:
            return self.provider.build_person(name=read_name(interaction=self.interaction, clues=clues), clues=clues)
        except (CreationRefused, NotImplementedError) as refused:
            raise CreationFailed(str(refused)) from refused
