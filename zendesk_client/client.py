"""The client: one Zendesk account, as one authorising user.

Every method is one or a few HTTP calls, raises ``ZendeskError`` and returns frozen data. It never sleeps and never
retries; limits of every answer go to ``on_limits`` and stay in ``last_limits``. Not for two threads at once.
"""

import requests

from zendesk_client.account_calls import AccountCalls
from zendesk_client.bulk_calls import BulkCalls
from zendesk_client.connection import (
    DEFAULT_TIMEOUTS,
    NO_MARKETPLACE,
    ZENDESK_BASE_URL,
    MarketplaceHeaders,
    Timeouts,
    build_session,
)
from zendesk_client.limits import LimitReport
from zendesk_client.record_calls import RecordCalls
from zendesk_client.screen_calls import ScreenCalls
from zendesk_client.search_calls import SearchCalls
from zendesk_client.transport import AfterCall, BeforeCall, EndSession, OnLimits, Transport


class ZendeskClient(AccountCalls, RecordCalls, SearchCalls, ScreenCalls, BulkCalls):
    """Calls one account. ``entity_type`` is ``ticket``, ``user``, ``organization`` or ``custom_object:<key>``.

    ``fields`` of a method are the account's definitions by key (``{d.key: d for d in client.list_fields(…)}``); with
    them custom values are read and written in their canonical form, without them as they are.
    """

    def __init__(
        self,
        subdomain: str,
        access_token: str,
        *,
        base_url_template: str = ZENDESK_BASE_URL,
        marketplace: MarketplaceHeaders = NO_MARKETPLACE,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        verify: bool | str = True,
        session: requests.Session | None = None,
        end_session: EndSession = requests.Session.close,
        on_limits: OnLimits | None = None,
        before_call: BeforeCall | None = None,
        after_call: AfterCall | None = None,
    ) -> None:
        """``session``: one from ``build_session``; ``end_session`` is handed it when the client is closed, and may keep
        its connections for the next client (see ``IdleSessions``).

        ``before_call`` is asked before each request and may refuse it by raising; ``after_call`` hears how it ended.
        """
        self._transport = Transport(
            subdomain=subdomain,
            access_token=access_token,
            base_url_template=base_url_template,
            marketplace=marketplace,
            timeouts=timeouts,
            verify=verify,
            session=session or build_session(),
            end_session=end_session,
            on_limits=on_limits,
            before_call=before_call,
            after_call=after_call,
        )

    @property
    def last_limits(self) -> tuple[LimitReport, ...]:
        """The limit reports of the last answer."""
        return self._transport.last_limits

    def close(self) -> None:
        """Give the session up; no call can be made any more."""
        self._transport.close()

    def __enter__(self) -> "ZendeskClient":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
