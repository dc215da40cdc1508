"""Free ports, tried on real sockets."""

import socket
from collections.abc import Iterator

import pytest

from etlml.errors import Unavailable
from etlml.launch.ports import free_port, is_free


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_free_port_is_taken_as_wished(taken_port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        wanted = probe.getsockname()[1]
    assert free_port("127.0.0.1", wanted) == wanted


def test_a_taken_port_moves_to_the_next_free_one(taken_port: int) -> None:
    assert not is_free("127.0.0.1", taken_port)
    assert taken_port < free_port("127.0.0.1", taken_port) < taken_port + 100


def test_a_port_promised_to_another_process_is_passed_over(taken_port: int) -> None:
    first = free_port("127.0.0.1", taken_port)
    assert free_port("127.0.0.1", taken_port, taken={first}) > first


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Unavailable, match="no address of this machine"):
        free_port("203.0.113.7", 8501)


def test_connections_of_a_server_that_just_ended_do_not_hold_its_port() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = listener.accept()
            accepted.close()  # the server's side closes first, and stays in TIME_WAIT
            client.recv(1)
    assert is_free("127.0.0.1", port)
