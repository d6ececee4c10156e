"""What leaves this machine, and what is left open on it: redirects, secrets in files, Redis, backups."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.app.processes import run

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_redis_is_reached_by_nobody_but_us():
    """No port of it is published, no load balancer leads to it, and a policy names who may connect."""
    for name in ("compose.yaml", "compose.prod.yaml"):
        for service, what in yaml.safe_load((DEPLOY / name).read_text())["services"].items():
            assert all(port.startswith("127.0.0.1:") for port in what.get("ports", [])), (name, service)
            assert "redis" not in service or "ports" not in what, name
    documents = list(yaml.safe_load_all((DEPLOY / "k8s" / "catalyst.yaml").read_text()))
    assert all(one["spec"].get("type", "ClusterIP") == "ClusterIP" for one in documents if one["kind"] == "Service")
    (policy,) = [one for one in documents if one["kind"] == "NetworkPolicy"]
    assert policy["spec"]["podSelector"]["matchLabels"] == {"app": "catalyst-redis"}
    assert policy["spec"]["ingress"]


def test_no_secret_stands_in_what_we_deploy():
    for path in [path for path in DEPLOY.rglob("*") if path.is_file()]:
        for word in ("sk-", "AKIA", "ghp_", "BEGIN PRIVATE", "BEGIN RSA", "xoxb-"):
            assert word not in path.read_text(), (path, word)


@pytest.mark.slow
def test_the_book_of_keys_is_for_its_owner_alone(tmp_path: Path):
    done = run("keys", "add", "desk", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    mode = stat.S_IMODE(os.stat(tmp_path / "data" / "keys.db").st_mode)
    assert not mode & 0o077, oct(mode)
    key = done.stdout.split()[0]
    assert key.encode() not in (tmp_path / "data" / "keys.db").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("restore", "../../etc"), ("emulate", "/etc"),
        ("up", "--source", "replay:/etc"), ("prompts", "show", "../../../etc/passwd"),
        ("digest", "file:///etc/passwd"), ("cache", "clear", "--tenant", "../x"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_path_given_to_a_command_shows_no_foreign_file(tmp_path: Path, command: tuple[str, ...]):
    done = run(*command, cwd=tmp_path)
    assert done.returncode != 0, done.stdout[:300]
    assert "root:" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_secret_in_a_bad_setting_is_not_repeated(tmp_path: Path):
    secret = "hunter2-" + "x" * 20
    names: dict[str, Any] = {"REDIS_URL": f"redis://user:{secret}@[bad", "OPENAI_API_KEY": f"{secret}\nX: 1"}
    done = run("check", "--offline", cwd=tmp_path, **names)
    assert secret not in done.stdout + done.stderr
