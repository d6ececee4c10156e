from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from catalyst.app.lock import held
from catalyst.errors import Locked, StorageError


def test_a_second_process_is_refused_and_told_what_to_do(tmp_path: Path):
    with held(tmp_path / "data"), pytest.raises(Locked, match="--data"), held(tmp_path / "data"):
        pass


def test_the_kernel_lets_go_when_the_holder_is_killed(tmp_path: Path):
    code = f"""
from pathlib import Path
from catalyst.app.lock import held
with held(Path({str(tmp_path)!r})):
    print("held", flush=True)
    import time; time.sleep(60)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "held"
    with pytest.raises(Locked), held(tmp_path):
        pass
    child.kill()
    child.wait()
    child.stdout.close()
    with held(tmp_path):
        pass


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StorageError, match="choose another"), held(tmp_path / "data"):
        pass
