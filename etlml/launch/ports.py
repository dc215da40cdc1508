"""Free ports."""

import os
import socket
from collections.abc import Collection

from etlml.errors import Unavailable

TRIES = 100


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
        else:  # as the servers do it: connections of a server that just ended do not hold the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(host: str, wanted: int, *, taken: Collection[int] = ()) -> int:
    """``wanted``, or the next port after it on which a server can listen and which is not in ``taken``.

    Raises:
        Unavailable: None of the next hundred is free, or the address is not this machine's.
    """
    for port in range(wanted, min(wanted + TRIES, 65536)):
        if port not in taken and is_free(host, port):
            return port
    if not is_free(host, 0):
        raise Unavailable(f"Nothing can listen on {host!r}: it is no address of this machine. Use 127.0.0.1.")
    raise Unavailable(f"No port from {wanted} to {wanted + TRIES - 1} is free on {host}. Name another one with --port.")
