"""What an operator is handed: every query names a metric that a running service shows, every alert has its runbook page
and its test, every pod is bounded, probed and not root, and every setting that is named exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.make_dashboards import DASHBOARDS, FOLDER, dashboard

from catalyst.app.names import NAMES

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
_METRIC = re.compile(r"\bcatalyst_[a-z0-9_]+")


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _shown() -> set[str]:
    """The names of all samples that the rooms register, by building each room's collectors."""
    from prometheus_client import CollectorRegistry

    from catalyst.bot.telemetry import BotMetrics
    from catalyst.clock import SystemClock
    from catalyst.filings.telemetry import FilingsCollector  # noqa: F401 (its source is read below)
    from catalyst.llm.metrics import HubMetrics
    from catalyst.web.auth import Keys
    from catalyst.web.gateway import Gateway, GatewaySettings
    from catalyst.web.metrics import WebMetrics

    registry = CollectorRegistry()
    BotMetrics(registry)
    HubMetrics(registry)
    WebMetrics(registry)

    async def nothing(*_: Any) -> None: ...

    Gateway(nothing, None, Keys(), GatewaySettings(), SystemClock(), registry)
    found = set()
    for family in registry.collect():
        tail = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        found |= {family.name + end for end in tail}
    return found | _collected()


def _collected() -> set[str]:
    """Families that are made at each scrape: a service must run to show them, so `test_scrape` holds them to it."""
    names = set()
    for path in (ROOT / "src" / "catalyst").rglob("*.py"):
        text = path.read_text()
        for kind, name in re.findall(r'(Counter|Gauge)(?:MetricFamily)?\(\s*f?"(catalyst_[^"]+)"', text):
            names.add(name + ("_total" if kind == "Counter" else ""))
        if 'f"catalyst_reconcile_{name}"' in text:
            names |= {f"catalyst_reconcile_{name}_total" for name in ("checks", "failures", "found")}
        if 'f"catalyst_filing_alert_delay_p' in text:
            names |= {f"catalyst_filing_alert_delay_p{share}_seconds" for share in (50, 95)}
    return names


def _queries() -> Iterator[tuple[str, str]]:
    for path in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]
    for rule in _rules():
        yield rule["alert"], rule["expr"]


def test_every_query_names_a_metric_that_exists():
    shown = _shown()
    for where, query in _queries():
        named = set(_METRIC.findall(query))
        assert named or query.startswith("up{"), where
        assert named <= shown, f"{where}: {named - shown}"


def test_the_dashboards_are_what_the_table_says():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(DASHBOARDS)
    for name in DASHBOARDS:
        assert (FOLDER / f"{name}.json").read_text() == dashboard(name), "run python tools/make_dashboards.py"


def test_every_alert_has_its_page_in_the_runbook_and_its_test():
    runbook = (ROOT / "docs" / "guides" / "runbook.md").read_text()
    tests = (DEPLOY / "prometheus" / "alerts_test.yml").read_text()
    for rule in _rules():
        assert f"## {rule['alert']}\n" in runbook
        assert f'alertname="{rule["alert"]}"' in tests
        assert rule["labels"]["severity"] in ("page", "warn")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on this machine (Debian's prometheus has it)")
def test_promtool_finds_the_rules_right():
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=DEPLOY / "prometheus", capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def _pods() -> list[tuple[str, dict[str, Any]]]:
    documents = list(yaml.safe_load_all((DEPLOY / "k8s" / "catalyst.yaml").read_text()))
    return [
        (document["metadata"]["name"], document["spec"]["template"]["spec"])
        for document in documents
        if document["kind"] in ("Deployment", "StatefulSet")
    ]


def test_every_pod_is_bounded_and_not_root():
    assert len(_pods()) == 4
    for name, pod in _pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        for container in pod["containers"]:
            assert container["resources"]["limits"]["memory"], name
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
            if "ports" in container:
                assert {"readinessProbe", "livenessProbe"} <= set(container), name


def test_redis_syncs_each_write_wherever_we_start_it():
    compose = yaml.safe_load((DEPLOY / "compose.prod.yaml").read_text())["services"]["redis"]["command"]
    (pod,) = [pod for name, pod in _pods() if name == "catalyst-redis"]
    for command in (compose, pod["containers"][0]["args"]):
        assert command[command.index("--appendfsync") + 1] == "always"
        assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_only_one_bot_posts():
    (replicas,) = [
        document["spec"]["replicas"]
        for document in yaml.safe_load_all((DEPLOY / "k8s" / "catalyst.yaml").read_text())
        if (document["kind"], document["metadata"]["name"]) == ("StatefulSet", "catalyst-bot")
    ]
    assert replicas == 1


def test_every_command_and_setting_that_is_named_exists():
    from catalyst.app.cli import app

    known = {command.name for command in app.registered_commands}
    for path in ("compose.yaml", "compose.prod.yaml"):
        for name, service in yaml.safe_load((DEPLOY / path).read_text())["services"].items():
            if service.get("image") != "catalyst":
                continue
            assert service.get("command", ["serve"])[0] in known, name
            assert service.get("environment", {}).keys() <= NAMES.keys(), name
    for name, pod in _pods():
        for container in pod["containers"]:
            if container["image"].startswith("catalyst"):
                assert container["args"][0] in known, name
    unit = (DEPLOY / "systemd" / "catalyst.service").read_text()
    assert set(re.findall(r"/bin/catalyst (\w+)", unit)) <= known


def test_the_image_runs_as_nobody_special_and_is_looked_after():
    text = (DEPLOY / "Dockerfile").read_text()
    last = text.split("\nFROM ")[-1]
    assert re.search(r"^USER 10001$", last, re.M)
    assert "HEALTHCHECK" in last
    assert "--require-hashes" in text
