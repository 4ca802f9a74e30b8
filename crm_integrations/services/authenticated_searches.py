"""What an authenticated connection looks for, creates and shows; the token and the gate are its subclass's."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from crm_integrations.providers.base import (
    CreationRequest,
    CRMConnection,
    CRMRecord,
    FieldType,
    FoundRecords,
    PersonClues,
    SearchCriterion,
    WriteAnswer,
)

T = TypeVar("T")


class AuthenticatedSearches(CRMConnection):
    """Hands each question to the live connection, by way of `_ask`."""

    @abstractmethod
    def _ask(self, act: Callable[[CRMConnection], T]) -> T:
        """Make a call with a token that works."""

    def find_people(self, clues: PersonClues, *, types: Mapping[str, FieldType] | None = None) -> list[CRMRecord]:
        """The people of whom one of the clues is true."""
        return self._ask(lambda live: live.find_people(clues, types=types))

    def find_records(
        self,
        entity_type: str,
        criteria: Sequence[SearchCriterion],
        *,
        limit: int = 25,
        types: Mapping[str, FieldType] | None = None,
    ) -> FoundRecords:
        """Records that meet all criteria."""
        return self._ask(lambda live: live.find_records(entity_type, criteria, limit=limit, types=types))

    def find_by_external_id(self, entity_type: str, external_id: str) -> list[CRMRecord]:
        """Records that carry this id of another system."""
        return self._ask(lambda live: live.find_by_external_id(entity_type, external_id))

    def list_open_records(
        self, owner_id: str, *, limit: int = 25, types: Mapping[str, FieldType] | None = None
    ) -> list[CRMRecord]:
        """The unsolved cases of a person."""
        return self._ask(lambda live: live.list_open_records(owner_id, limit=limit, types=types))

    def create_record(
        self, request: CreationRequest, *, key: str, types: Mapping[str, FieldType] | None = None
    ) -> WriteAnswer:
        """Create a record that carries `key`."""
        return self._ask(lambda live: live.create_record(request, key=key, types=types))

    def show_to_agent(self, agent: str, entity_type: str, record_id: str) -> bool:
        """Open the record on an agent's screen."""
        return self._ask(lambda live: live.show_to_agent(agent, entity_type, record_id))
