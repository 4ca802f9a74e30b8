"""A port in use stops the start with a sentence that says what to do."""

import socket

import pytest

from config.stack.ports import PortTaken, find_free_port, is_answering, require_free_port


def test_a_taken_port_is_named_with_the_setting_that_moves_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {port} \(the pages\) is in use.*make run PORT={port + 10}"):
            require_free_port(port=port, variable="PORT", purpose="the pages")


def test_a_free_port_is_free_and_nobody_answers_there():
    port = find_free_port()

    require_free_port(port=port, variable="PORT", purpose="the pages")
    assert not is_answering(port)


def test_a_listening_server_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert is_answering(server.getsockname()[1])
