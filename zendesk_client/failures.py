"""Turns what goes wrong below HTTP into the two errors the client has for it."""

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError, ReadTimeoutError

from zendesk_client.deadline import BoundedCall, Progress
from zendesk_client.errors import ConnectionFailed, NoAnswer, TimedOut


def translate_failure(error: requests.RequestException, call: BoundedCall, is_write: bool) -> NoAnswer:
    """Choose class and ``maybe_applied``. The library's own text is dropped: it quotes addresses with search words."""
    cause = _find_cause(error)
    never_left = isinstance(error, requests.ConnectTimeout) or isinstance(cause, NewConnectionError)
    maybe_applied = (
        is_write
        and {
            Progress.UNKNOWN: not never_left,
            Progress.CONNECTING: False,
            Progress.SENT: True,
        }[call.progress]
    )
    if isinstance(error, requests.Timeout) or _is_timeout(cause):
        return TimedOut("Zendesk did not answer in time.", maybe_applied=maybe_applied)
    return ConnectionFailed(
        f"The connection to Zendesk failed ({type(cause or error).__name__}).", maybe_applied=maybe_applied
    )


def is_lost_connection(error: requests.RequestException) -> bool:
    """Whether the other side ended the connection where the head of an answer was due."""
    return isinstance(_find_cause(error), ProtocolError)


def _find_cause(error: requests.RequestException) -> BaseException | None:
    """Return what urllib3 raised underneath, out of requests' several wrappings."""
    cause = next((part for part in error.args if isinstance(part, BaseException)), None)
    return getattr(cause, "reason", None) or cause


def _is_timeout(cause: BaseException | None) -> bool:
    """Urllib3 counts a refused connection among the connect time-outs; here it is not one."""
    timeouts = (ReadTimeoutError, ConnectTimeoutError, TimeoutError)
    return isinstance(cause, timeouts) and not isinstance(cause, NewConnectionError)
