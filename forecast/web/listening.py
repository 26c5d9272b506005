"""The one place that opens a socket, and only to listen."""

from __future__ import annotations

import socket

from indicators.errors import WatchfloorError

__all__ = ["PortTakenError", "listening_socket"]


class PortTakenError(WatchfloorError):
    """An address that cannot be listened on."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens on an address of this machine; port 0 takes any that is free.

    Raises
    ------
    PortTakenError
        Another program listens there, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except (OSError, UnicodeError):
        found.close()
        what = "cannot listen there: another program does, or it is no address of this machine"
        raise PortTakenError(what, where=f"{host}:{port}", mend="give another --port, or stop the other") from None
    found.listen(1024)
    return found
