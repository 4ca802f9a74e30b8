"""The guard lets tests talk to this machine and to nobody else."""

import socket

import pytest

from tests.network_guard import OutsideNetworkRefused


def test_another_machine_cannot_be_reached(no_outside_network):
    with socket.socket() as sock, pytest.raises(OutsideNetworkRefused):
        sock.connect(("192.0.2.1", 80))

    assert no_outside_network.refused == ["192.0.2.1"]
    no_outside_network.refused.clear()


def test_another_machine_cannot_be_looked_up(no_outside_network):
    with pytest.raises(OutsideNetworkRefused):
        socket.getaddrinfo("example.com", 443)

    no_outside_network.refused.clear()


def test_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        assert connection.getpeername() == server.getsockname()
