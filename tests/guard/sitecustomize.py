"""Fail any test, and any Python process a test starts, that connects beyond loopback.

`tests/conftest.py` imports this and puts its folder on PYTHONPATH, so child processes load it at start.
"""

from __future__ import annotations

import ipaddress
import os
import sys


def _is_local(host: object) -> bool:
    if host in ("", None, "localhost", b"localhost", "0.0.0.0", "::"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return str(host).endswith((".localhost", ".invalid"))


def _guard(event: str, args: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = args[1]
        if isinstance(address, tuple) and not _is_local(address[0]):
            raise RuntimeError(f"a test connects beyond loopback: {address[0]}")
    elif event == "socket.getaddrinfo" and not _is_local(args[0]):
        raise RuntimeError(f"a test looks up a name beyond loopback: {args[0]!r}")


if not os.environ.get("CATALYST_LIVE"):
    sys.addaudithook(_guard)
