"""Authenticated connections to CRM accounts: the only way from the product to a CRM.

Every call made on one renews an access token that ended, once, and repeats; a token that stays refused holds the
authentication (semantics of *held*: nothing is lost, a person must act). Never open one inside a transaction.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError

from crm_integrations.database_clock import Clock, read_database_clock
from crm_integrations.models import Authentication
from crm_integrations.providers.base import (
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
from crm_integrations.providers.errors import AccessDenied, GrantEnded, Reauthenticate, RetryLater
from crm_integrations.providers.registry import get_provider
from crm_integrations.services.account_limits import store_limits
from crm_integrations.services.holds import hold_authentication
from crm_integrations.services.tokens import (
    AuthenticationHeld,
    Token,
    TokenBusy,
    TokenUnavailable,
    read_token,
    renew_token,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")
INTERACTIVE_PATIENCE_S = 5.0  # how long a person's request waits for somebody else's renewal
POLL_EVERY_S = 0.2
CALLS_PER_TRY = 2  # a provider may need two calls for one write, each up to the total time-out
CALLS_PER_ACT = 2 * CALLS_PER_TRY  # what one act may take in time-outs, a try with a better token included


class AuthenticatedConnection(CRMConnection):
    """A connection that keeps its token fresh. Not for several threads."""

    def __init__(
        self,
        *,
        authentication_id: int,
        provider: CRMProvider,
        address: str,
        options: Mapping[str, str],
        patience_s: float,
        clock: Clock,
    ) -> None:
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
            return self._renew(token)
        except (RetryLater, TokenUnavailable):  # RetryLater: also when somebody else is at it
            if token.has_ended(self._clock()):
                raise
            return token

    def _renew(self, token: Token) -> Token:
        """A newer token; waits up to the patience of this connection for somebody else's renewal."""
        waits = int(self._patience_s / POLL_EVERY_S)
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
        return self._provider.connect(self._address, access_token=self._token.access_token, options=self._options)

    def _ask(self, act: Callable[[CRMConnection], T]) -> T:
        """Make a call, again when its token was refused and a better one can be had; a grant that ended is held."""
        try:
            return self._ask_with_fresh_token(act)
        except AuthenticationHeld:
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
        yield self._renew(self._token)

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
        self, entity_type: str, ids: Sequence[str], *, types: Mapping[str, FieldType] | None = None
    ) -> dict[str, CRMRecord]:
        """The records that exist, by id."""
        return self._ask(lambda live: live.get_records(entity_type, ids, types=types))

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


@contextmanager
def open_connection(
    *,
    authentication: Authentication,
    patience_s: float = INTERACTIVE_PATIENCE_S,
    clock: Clock = read_database_clock,
) -> Iterator[CRMConnection]:
    """A live account for the length of the block; its limits are stored when it ends.

    Raises, here or from any call: AuthenticationHeld (a GrantEnded: a person must act), TokenBusy (a RetryLater:
    somebody else renews the token and did not finish within `patience_s`), or what the call itself raises.
    """
    account = authentication.account
    live = AuthenticatedConnection(
        authentication_id=authentication.pk,
        provider=get_provider(account.provider),
        address=account.address,
        options=authentication.options,
        patience_s=patience_s,
        clock=clock,
    )
    try:
        yield live
    finally:
        _keep_limits(account.pk, live, clock)
        live.close()


def run_on_connection(*, authentication: Authentication, act: Callable[[CRMConnection], T]) -> T:
    """Do one thing on a connection of its own."""
    with open_connection(authentication=authentication) as live:
        return act(live)


def _keep_limits(account_id: int, live: AuthenticatedConnection, clock: Clock) -> None:
    """Reports are a convenience: a database that is away must not hide what the block itself raised."""
    try:
        store_limits(account_id=account_id, reports=live.report_limits(), now=clock())
    except DatabaseError:
        logger.exception("The limits of account %s could not be stored.", account_id)
