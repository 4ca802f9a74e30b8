"""The only place of the client that touches the network.

One call, one request: no redirect is followed, nothing waits for a limit, nothing is retried but a read whose kept
connection turned out to be closed. Addresses are built from our own base alone; a host inside an answer is never
called (accounts get renamed, and ``links.next`` then names another host). Every answer's limit headers go to the
caller before anything else is looked at.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

from zendesk_client.answers import Answer
from zendesk_client.connection import (
    DEFAULT_TIMEOUTS,
    NO_MARKETPLACE,
    ZENDESK_BASE_URL,
    MarketplaceHeaders,
    Timeouts,
    build_base_url,
    build_session,
)
from zendesk_client.deadline import BoundedCall, bounded_call
from zendesk_client.error_parsing import parse_error
from zendesk_client.errors import InvalidAnswer, NoAnswer, ZendeskError
from zendesk_client.failures import is_lost_connection, translate_failure
from zendesk_client.limits import LimitReport, parse_limits

USER_AGENT = "AgentIntegrations/1.0 (python-requests)"
MAX_ANSWER_BYTES = 32 * 1024 * 1024  # unpacked; 400 ticket fields with some hundred options each stay far below
CHUNK_BYTES = 64 * 1024
READ_METHODS = frozenset({"GET", "HEAD"})

logger = logging.getLogger(__name__)

OnLimits = Callable[[tuple[LimitReport, ...]], None]
Exchanged = tuple[int, Mapping[str, str], bytes]
"""Status, headers and unpacked body of an answer."""
BeforeCall = Callable[[str, str], None]
"""Method and path of a request that is about to be sent; whatever it raises keeps the request from leaving."""


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A request that is over. ``error`` is None for a 2xx answer; ``limits`` is empty when nothing came back."""

    method: str
    path: str
    error: ZendeskError | None
    limits: tuple[LimitReport, ...]


EndSession = Callable[[requests.Session], None]
"""What becomes of a session that this client needs no more."""
AfterCall = Callable[[FinishedCall], None]
"""Told of every request that ``BeforeCall`` let through, once, whatever became of it."""


@dataclass(slots=True)
class Transport:
    """Sends requests to one account. Not for two threads at once: one client, one thread, one session."""

    subdomain: str
    access_token: str | None = field(default=None, repr=False)
    base_url_template: str = ZENDESK_BASE_URL
    marketplace: MarketplaceHeaders = NO_MARKETPLACE
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    verify: bool | str = True
    session: requests.Session = field(default_factory=build_session, repr=False)
    end_session: EndSession = requests.Session.close
    on_limits: OnLimits | None = None
    before_call: BeforeCall | None = None
    after_call: AfterCall | None = None
    max_answer_bytes: int = MAX_ANSWER_BYTES
    base_url: str = field(init=False)
    last_limits: tuple[LimitReport, ...] = field(init=False, default=())
    is_closed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.base_url = build_base_url(self.base_url_template, self.subdomain)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json_body: Mapping[str, Any] | None = None,
        form_body: str | None = None,
        headers: Mapping[str, str] | None = None,
        is_question: bool = False,
    ) -> Answer:
        """Send one request to ``path`` (begins with a slash, already quoted) and return its 2xx answer.

        JSON bodies are written with sorted keys, so that the same content is the same bytes on a retry.
        ``is_question``: a POST that changes nothing. Raises ZendeskError for everything else.
        """
        assert not self.is_closed, "the session may be somebody else's by now"
        is_write = method not in READ_METHODS and not is_question
        body, content_type = _write_body(json_body, form_body)
        sent_headers = {**self._build_headers(content_type), **(headers or {})}
        if self.before_call is not None:
            self.before_call(method, path)
        self.last_limits = ()
        failure: ZendeskError | None = NoAnswer("Nothing came back.", maybe_applied=is_write)
        try:
            answer = self._call(method, path, params, body, sent_headers, is_write)
            failure = None
            return answer
        except ZendeskError as error:
            failure = error
            raise
        finally:
            self._report_end(FinishedCall(method, path, failure, self.last_limits))

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: bytes | None,
        sent_headers: Mapping[str, str | bytes],
        is_write: bool,
    ) -> Answer:
        """Exchange and judge: a 2xx answer comes back, everything else is raised."""
        with bounded_call(self.timeouts.total_s) as call:
            exchange = partial(self._exchange, method, path, params, body, sent_headers)
            try:
                status, answer_headers, answer_body = exchange() if is_write else self._read(exchange, call)
            except requests.RequestException as error:
                raise translate_failure(error, call, is_write) from None
            except _TooLarge:
                raise InvalidAnswer("The answer is too large.", code="TooLarge", maybe_applied=is_write) from None
        self._report_limits(answer_headers)
        if not 200 <= status < 300:
            content_type = answer_headers.get("Content-Type", "")
            raise parse_error(status, answer_headers, content_type, answer_body, is_write=is_write)
        return Answer(status, answer_headers, answer_body, is_write)

    def close(self) -> None:
        """Give the session up, once."""
        if not self.is_closed:
            self.is_closed = True
            self.end_session(self.session)

    def _build_headers(self, content_type: str) -> dict[str, str | bytes]:
        headers: dict[str, str | bytes] = {"Accept": "application/json", "User-Agent": USER_AGENT}
        headers.update(self.marketplace.as_headers())
        if content_type:
            headers["Content-Type"] = content_type
        if self.access_token is not None:
            headers["Authorization"] = f"Bearer {self.access_token}"
        return headers

    def _read(self, exchange: Callable[[], Exchanged], call: BoundedCall) -> Exchanged:
        """A server may close a kept connection just when a request leaves; a read is then asked once more.

        A write is not: whether it arrived is for its caller to find out.
        """
        try:
            return exchange()
        except requests.ConnectionError as error:
            if not call.has_kept_connection or not is_lost_connection(error):
                raise
        self.session.close()  # the other connections of this pause may have ended as well
        return exchange()

    def _exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str | bytes],
    ) -> Exchanged:
        response = self.session.request(
            method,
            self.base_url + path,
            params=params,
            data=body,
            headers=headers,
            timeout=(self.timeouts.connect_s, self.timeouts.read_s),
            allow_redirects=False,
            verify=self.verify,
            stream=True,
        )
        try:
            return response.status_code, CaseInsensitiveDict(response.headers), self._read_body(response)
        finally:
            response.close()

    def _read_body(self, response: requests.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(CHUNK_BYTES):
            size += len(chunk)
            if size > self.max_answer_bytes:
                raise _TooLarge
            chunks.append(chunk)
        return b"".join(chunks)

    def _report_limits(self, headers: Mapping[str, str]) -> None:
        self.last_limits = parse_limits(headers)
        if self.on_limits is None or not self.last_limits:
            return
        try:
            self.on_limits(self.last_limits)
        except Exception:  # a budget that could not be noted must not turn a write that succeeded into an error
            logger.exception("Limit reports could not be handed over.")

    def _report_end(self, call: FinishedCall) -> None:
        if self.after_call is None:
            return
        try:
            self.after_call(call)
        except Exception:  # as above
            logger.exception("The end of a call could not be handed over.")


class _TooLarge(Exception):
    """The answer is larger than allowed; the connection is thrown away with its rest."""


def _write_body(json_body: Mapping[str, Any] | None, form_body: str | None) -> tuple[bytes | None, str]:
    if json_body is not None:
        text = json.dumps(json_body, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return text.encode("ascii"), "application/json"
    if form_body is not None:
        return form_body.encode("ascii"), "application/x-www-form-urlencoded"
    return None, ""
