"""TCP ports of this machine: is one free, is somebody answering there."""

import socket

LOOPBACK = "127.0.0.1"
CONNECT_TIMEOUT_S = 1.0


class PortTaken(Exception):
    """The product cannot listen on a port that it needs; the text says why and how to choose another."""

    def __init__(self, *, port: int, variable: str, purpose: str) -> None:
        super().__init__(
            f"Port {port} ({purpose}) is in use by another program. "
            f"Stop that program, or choose another port: make run {variable}={port + 10}"
        )


class PortForbidden(PortTaken):
    """A port that does not exist, or that only root may use."""

    def __init__(self, *, port: int, variable: str, purpose: str) -> None:
        Exception.__init__(
            self, f"Port {port} ({purpose}) cannot be used. Choose one from 1024 to 65535: make run {variable}=8010"
        )


def require_free_port(*, port: int, variable: str, purpose: str) -> None:
    """Raise PortTaken when nobody could listen on `port`; `variable` is the setting that moves it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OverflowError, PermissionError) as error:
            raise PortForbidden(port=port, variable=variable, purpose=purpose) from error
        except OSError as error:
            raise PortTaken(port=port, variable=variable, purpose=purpose) from error


def find_free_port() -> int:
    """A port that was free a moment ago, chosen by the kernel."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_answering(port: int) -> bool:
    """Whether somebody accepts connections on `port`."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False
