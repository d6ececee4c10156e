"""The Dockerfile's steps run; what they make runs as nobody special, on a read-only system, healthy, and stops well.

Where Docker is missing its steps run in a chroot (`image.py`). `CATALYST_IMAGE=literal` has pip install everything from
the package index, as a build does: some minutes (with `-o faulthandler_timeout=1500`).
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sysconfig
import tempfile
from pathlib import Path

import pytest

from catalyst.app.names import NAMES
from tests.deploy.image import DOCKERFILE, in_root, script, stages, why_not

LITERAL = os.environ.get("CATALYST_IMAGE") == "literal"
_BUILD, _LAST = stages(DOCKERFILE.read_text())


def test_the_images_settings_exist():
    ours = {name for name in _LAST.environ if name.startswith(("CATALYST_", "LLM_"))}
    assert ours <= NAMES.keys()
    assert {"CATALYST_DATA_DIR", "CATALYST_HOST"} <= ours


def _lent() -> str:
    """Where this environment lies under the /tmp that the container has its own of, its packages are put back."""
    packages = sysconfig.get_path("purelib")
    if LITERAL or not packages.startswith("/tmp/"):
        return "true"
    return f"mkdir -p $ROOT{packages}; mount --bind {packages} $ROOT{packages}"


def _as_its_user(environ: dict[str, str]) -> str:
    """What a container does: the data volume and /tmp writable, all else not; the command, its health, a stop."""
    user, serve = _LAST.last("USER"), in_root("$ROOT", _LAST.command, environ, "/data", _LAST.last("USER"))
    return f"""
        ip link set lo up
        mount -o remount,ro $ROOT
        mount -t tmpfs -o mode=1777 tmpfs $ROOT/tmp
        {_lent()}
        mount -t tmpfs -o uid={user},gid={user},mode=700 tmpfs $ROOT/data
        {serve} >$ROOT/tmp/log 2>&1 &
        SERVE=$!
        for i in $(seq 120); do
            if {in_root("$ROOT", _LAST.health, environ, "/", user)} 2>/dev/null; then HEALTHY=1; break; fi
            sleep 0.5
        done
        cat $ROOT/tmp/log >&2
        test "$HEALTHY" = 1
        echo "user $(stat -c %u $(ls -d $ROOT/data/*.db | head -1))"
        kill -TERM $SERVE
        CODE=0; wait $SERVE || CODE=$?
        echo "code $CODE"
    """


@pytest.mark.slow
def test_the_steps_of_the_dockerfile_make_a_service_that_runs_as_nobody_special():
    if why := why_not():
        pytest.skip(f"the Dockerfile's steps cannot run here: {why}")
    path = os.environ["PATH"]
    environ = {name: value.replace("$PATH", path) for name, value in _LAST.environ.items()}
    environ |= {"CATALYST_API_KEYS": "0123456789abcdef0123456789abcdef", "HOME": "/home/catalyst"}
    folder = Path(tempfile.mkdtemp(prefix="catalyst-image-"))
    build = script(folder, literal=LITERAL, then=f"unshare --net sh -ec {shlex.quote(_as_its_user(environ))}")
    build = "export ROOT\n" + build
    try:
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", build], capture_output=True, text=True, timeout=1200 if LITERAL else 240
        )
    finally:
        folder.rmdir()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert done.stdout.split("\n")[-3:-1] == [f"user {_LAST.last('USER')}", "code 0"], done.stdout + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
