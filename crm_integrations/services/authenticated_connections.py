"""A live CRM account that keeps its token fresh; open one with services.connections.

Every call made on it renews an access token that ended, once, and repeats; a token that stays refused holds the
authentication (semantics of *held*: nothing is lost, a person must act).
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from django.conf import settings

from crm_integrations.database_clock import Clock
from crm_integrations.providers.base import (
    BulkProgress,
    BulkSearch,
    CommentTrace,
    CRMConnection,
    CRMField,
    CRMProvider,
    CRMRecord,
    CRMValue,
    EntityType,
    FieldType,
    LimitReport,
    Right,
    SystemUser,
    WriteAnswer,
)
from crm_integrations.providers.errors import AccessDenied, CRMUnavailable, GrantEnded, Reauthenticate, RetryLater
from crm_integrations.services.authenticated_searches import AuthenticatedSearches
from crm_integrations.services.call_gates import AccountCallGate
from crm_integrations.services.holds import hold_authentication
from crm_integrations.services.tokens import (
    AuthenticationHeld,
    Token,
    TokenBusy,
    TokenUnavailable,
    read_token,
    renew_token,
)

T = TypeVar("T")
POLL_EVERY_S = 0.2
CALLS_PER_TRY = 2  # a provider may need two calls for one write, each up to the total time-out
CALLS_PER_ACT = 2 * CALLS_PER_TRY  # what one act may take in time-outs, a try with a better token included


class AuthenticatedConnection(AuthenticatedSearches):
    """A connection that keeps its token fresh and pays every call at its `gate`. Not for several threads."""

    def __init__(
        self,
        *,
        authentication_id: int,
        provider: CRMProvider,
        address: str,
        options: Mapping[str, str],
        patience_s: float,
        clock: Clock,
        gate: AccountCallGate,
    ) -> None:
        self.gate = gate
        self._authentication_id = authentication_id
        self._provider = provider
        self._address = address
        self._options = options
        self._patience_s = patience_s
        self._clock = clock
        self._limits: dict[str, LimitReport] = {}
        self._token = self._fresh_token()
        self._live = self._connect()

    def _fresh_token(self) -> Token:
        """The stored token, renewed when it ends soon; while that cannot be done, one that still works is fine."""
        token = read_token(authentication_id=self._authentication_id)
        if not token.is_ending(self._clock()):
            return token
        try:
            return self._renew(token, patience_s=self._patience_s if token.has_ended(self._clock()) else 0)
        except (RetryLater, TokenUnavailable):  # RetryLater: also when somebody else is at it
            if token.has_ended(self._clock()):
                raise
            return token

    def _renew(self, token: Token, *, patience_s: float) -> Token:
        """A newer token; waits so long for somebody else's renewal."""
        waits = int(patience_s / POLL_EVERY_S)
        while True:
            try:
                return renew_token(
                    authentication_id=self._authentication_id,
                    provider=self._provider,
                    address=self._address,
                    version=token.version,
                    clock=self._clock,
                )
            except TokenBusy:
                if waits <= 0:
                    raise
            waits -= 1
            time.sleep(POLL_EVERY_S)

    def _connect(self) -> CRMConnection:
        return self._provider.connect(
            self._address, access_token=self._token.access_token, options=self._options, gate=self.gate
        )

    def _ask(self, act: Callable[[CRMConnection], T]) -> T:
        """Make a call, again when its token was refused and a better one can be had; a grant that ended is held."""
        try:
            return self._ask_with_fresh_token(act)
        except (AuthenticationHeld, TokenUnavailable):
            raise
        except CRMUnavailable as error:
            if not error.is_search_alone:
                self.gate.note_unusable()
            raise
        except GrantEnded as error:
            self._hold(error.message, is_user_gone=error.is_user_gone)
            raise AuthenticationHeld(error.message, is_user_gone=error.is_user_gone, status=error.status) from error

    def _ask_with_fresh_token(self, act: Callable[[CRMConnection], T]) -> T:
        """Make a call; while its token is refused, again with the next better one.

        A refusal comes fast. One that took its time is no reason to go on for longer than callers reckon with.
        """
        latest_retry = time.monotonic() + CALLS_PER_TRY * settings.CALL_TIMEOUT_S
        try:
            return act(self._live)
        except Reauthenticate as error:
            refused = error
        for token in self._better_tokens():
            self._use(token)
            if time.monotonic() > latest_retry:
                raise TokenUnavailable(refused.message, status=refused.status)
            try:
                return act(self._live)
            except Reauthenticate as error:
                refused = error
        raise GrantEnded(refused.message, status=refused.status) from refused

    def _better_tokens(self) -> Iterator[Token]:
        """What may work in place of a refused token: the one somebody stored meanwhile, then one renewal."""
        stored = read_token(authentication_id=self._authentication_id)
        if stored.version > self._token.version:
            yield stored
        yield self._renew(self._token, patience_s=self._patience_s)

    def _use(self, token: Token) -> None:
        self._token = token
        self._replace_live()

    def _replace_live(self) -> None:
        self._note_limits()
        self._live.close()
        self._live = self._connect()

    def _hold(self, reason: str, *, is_user_gone: bool) -> None:
        hold_authentication(
            authentication_id=self._authentication_id,
            token_version=self._token.version,
            reason=reason,
            is_user_gone=is_user_gone,
        )

    def _note_limits(self) -> None:
        self._limits |= {report.limit_class: report for report in self._live.report_limits()}

    def identify(self) -> SystemUser:
        """Who the token acts as; a user who is gone, or may not even ask this, holds the authentication."""
        return self._ask(_identify)

    def confirm_writing(self, entity_type: str) -> None:
        """After a write was denied: a user who is gone, or may not write any more, holds the authentication."""
        self._ask(lambda live: _confirm_writing(live, entity_type))

    def check_rights(self, *, granted_scopes: Sequence[str]) -> list[Right]:
        """What the system user may do."""
        return self._ask(lambda live: live.check_rights(granted_scopes=granted_scopes))

    def list_entity_types(self) -> list[EntityType]:
        """All record types of the account."""
        return self._ask(lambda live: live.list_entity_types())

    def list_fields(self, entity_type: str) -> list[CRMField]:
        """All fields of a record type."""
        return self._ask(lambda live: live.list_fields(entity_type))

    def get_records(
        self,
        entity_type: str,
        ids: Sequence[str],
        *,
        types: Mapping[str, FieldType] | None = None,
        named: Collection[str] = (),
    ) -> dict[str, CRMRecord]:
        """The records that exist, by id."""
        return self._ask(lambda live: live.get_records(entity_type, ids, types=types, named=named))

    def update_record(
        self,
        entity_type: str,
        record_id: str,
        values: Mapping[str, CRMValue],
        *,
        delivery_id: str,
        types: Mapping[str, FieldType] | None = None,
    ) -> WriteAnswer:
        """Write fields of one record."""
        return self._ask(
            lambda live: live.update_record(entity_type, record_id, values, delivery_id=delivery_id, types=types)
        )

    def find_comment(self, entity_type: str, record_id: str, *, delivery_id: str) -> CommentTrace:
        """Look for the comment that `delivery_id` posted."""
        return self._ask(lambda live: live.find_comment(entity_type, record_id, delivery_id=delivery_id))

    def bulk_limit(self, entity_type: str, field_types: Collection[FieldType]) -> int:
        """How many records one bulk write takes."""
        return self._live.bulk_limit(entity_type, field_types)

    def update_records(
        self,
        entity_type: str,
        updates: Mapping[str, Mapping[str, CRMValue]],
        *,
        types: Mapping[str, FieldType] | None = None,
    ) -> BulkProgress:
        """Hand a bulk write to the CRM."""
        return self._ask(lambda live: live.update_records(entity_type, updates, types=types))

    def read_bulk(self, handles: Sequence[str]) -> dict[str, BulkProgress]:
        """How far bulk writes are."""
        return self._ask(lambda live: live.read_bulk(handles))

    def find_bulk(self, entity_type: str, record_ids: Sequence[str], *, since: datetime) -> BulkSearch:
        """Look for a bulk write that carried exactly these records."""
        return self._ask(lambda live: live.find_bulk(entity_type, record_ids, since=since))

    def report_limits(self) -> list[LimitReport]:
        """What the answers so far said of the account's limits."""
        self._note_limits()
        return list(self._limits.values())

    def close(self) -> None:
        """Give the connection back."""
        self._live.close()


def _identify(live: CRMConnection) -> SystemUser:
    """Everybody may ask who they are: who is denied that is denied everything, until a person acts."""
    try:
        return live.identify()
    except AccessDenied as error:
        raise GrantEnded(error.message, status=error.status) from error


def _confirm_writing(live: CRMConnection, entity_type: str) -> None:
    """The same for what a user may always ask of themselves."""
    try:
        live.confirm_writing(entity_type)
    except AccessDenied as error:
        raise GrantEnded(error.message, status=error.status) from error
