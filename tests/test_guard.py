from __future__ import annotations

import socket
import subprocess
import sys

import aiohttp
import pytest


def test_a_socket_beyond_loopback_fails():
    with socket.socket() as sock, pytest.raises(RuntimeError, match="beyond loopback"):
        sock.connect(("192.0.2.1", 80))


async def test_a_name_beyond_loopback_fails_in_aiohttp_too():
    async with aiohttp.ClientSession() as session:
        with pytest.raises(RuntimeError, match="beyond loopback"):
            await session.get("http://example.com/")


def test_a_child_process_is_guarded():
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert "beyond loopback" in done.stderr
