"""Manifests say what they mean: no unknown, misspelt or doubled key, and every name leads to what it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from catalyst.app.names import NAMES
from catalyst.bot.front import Front
from tests.deploy.schemas import COMPOSE, KINDS

DEPLOY = Path(__file__).parents[2] / "deploy"
K8S = DEPLOY / "k8s" / "catalyst.yaml"
COMPOSES = ("compose.yaml", "compose.prod.yaml")
SECRET = "catalyst-env"
"""Made from .env, by hand."""


class Strict(yaml.SafeLoader):
    """YAML takes the last of two equal keys without a word; this does not."""


def _mapping(loader: Strict, node: yaml.MappingNode) -> Any:
    keys = [loader.construct_object(key) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    assert len(keys) == len(set(keys)), f"line {node.start_mark.line + 1}: a key stands there twice, of {keys}"
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _objects() -> list[dict[str, Any]]:
    return list(yaml.load_all(K8S.read_text(), Strict))


def _composed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((DEPLOY / name).read_text(), Strict)
    return found


def _workloads() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for one in _objects():
        if "template" in one.get("spec", {}):
            yield one, one["spec"]["template"]


def test_a_doubled_key_is_found():
    with pytest.raises(AssertionError, match="twice"):
        yaml.load("a: 1\nb: {c: 1, c: 2}\n", Strict)


def test_every_object_has_its_kinds_fields_and_no_others():
    for one in _objects():
        jsonschema.validate(one, KINDS[one["apiVersion"], one["kind"]])
    with pytest.raises(jsonschema.ValidationError, match="minAvailible"):
        wrong = {"minAvailible": 1, "selector": {"matchLabels": {"app": "a"}}}
        pdb = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "a"}, "spec": wrong}
        jsonschema.validate(pdb, KINDS["policy/v1", "PodDisruptionBudget"])


def test_no_two_objects_share_a_kind_and_a_name():
    names = [(one["kind"], one["metadata"]["name"]) for one in _objects()]
    assert len(names) == len(set(names))


def test_every_selector_finds_its_pods_and_every_reference_its_object():
    objects = _objects()
    names = {(one["kind"], one["metadata"]["name"]) for one in objects}
    labels = [template["metadata"]["labels"] for _, template in _workloads()]
    for one in objects:
        spec = one.get("spec", {})
        wanted = spec.get("selector") or spec.get("podSelector") or {}
        wanted = wanted.get("matchLabels", wanted)
        if one["kind"] != "ConfigMap":
            assert any(wanted.items() <= shown.items() for shown in labels) or "scaleTargetRef" in spec, one["metadata"]
        if "scaleTargetRef" in spec:
            assert (spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"]) in names
        if "serviceName" in spec:
            assert ("Service", spec["serviceName"]) in names
    for rule in (rule for one in objects for rule in one.get("spec", {}).get("ingress", ())):
        for source in rule["from"]:
            for expression in source["podSelector"]["matchExpressions"]:
                assert set(expression["values"]) <= {shown["app"] for shown in labels}


def test_pods_are_given_what_they_mount_and_are_asked_where_they_listen():
    shown = _routes()
    for one, template in _workloads():
        pod, claims = template["spec"], one["spec"].get("volumeClaimTemplates", ())
        given = {volume["name"] for volume in pod.get("volumes", ())} | {claim["metadata"]["name"] for claim in claims}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} == given, one["metadata"]
            ports = {port.get("name") for port in container.get("ports", ())}
            for probe in (container[name] for name in container if name.endswith("Probe")):
                if "httpGet" in probe:
                    assert probe["httpGet"]["port"] in ports
                    assert probe["httpGet"]["path"] in shown[container["args"][0]], one["metadata"]


def _routes() -> dict[str, set[str]]:
    """The paths that each of our commands answers."""
    from catalyst.web.gateway import alone

    source = Path(alone.__file__).read_text() + (Path(alone.__file__).parents[1] / "status.py").read_text()
    service = set(re.findall(r'"(/health[a-z/]*)"', source))
    assert {"/health/live", "/health/ready"} <= service
    return {"serve": service, "gateway": service, "bot": set(Front._ours)}


def test_every_setting_of_a_pod_exists_and_comes_from_an_object_that_does():
    maps = {one["metadata"]["name"]: one["data"] for one in _objects() if one["kind"] == "ConfigMap"}
    for data in maps.values():
        assert data.keys() <= NAMES.keys()
    for one, template in _workloads():
        for container in template["spec"]["containers"]:
            assert {entry["name"] for entry in container.get("env", ())} <= NAMES.keys()
            for entry in container.get("envFrom", ()):
                name = (entry.get("configMapRef") or entry.get("secretRef"))["name"]
                assert name in {*maps, SECRET}, one["metadata"]


@pytest.mark.parametrize("name", COMPOSES)
def test_every_compose_file_has_composes_fields_and_no_others(name: str):
    found = _composed(name)
    jsonschema.validate(found, COMPOSE)
    services = found["services"]
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert len({port.rsplit(":", 1)[0] for port in ports}) == len(ports), "two services on one port of the host"
    for service in services.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in found["volumes"], volume
        assert service.get("depends_on", {}).keys() <= services.keys()
        assert {config["source"] for config in service.get("configs", ())} <= found.get("configs", {}).keys()
        for environment in service.get("environment", {}).items():
            assert environment[0] in NAMES
    for service in services.values():
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).exists()


def test_prometheus_scrapes_services_that_compose_starts_on_the_port_they_listen_on():
    services = _composed("compose.prod.yaml")["services"]
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = [target.split(":") for job in scraped for group in job["static_configs"] for target in group["targets"]]
    ours = {name for name, service in services.items() if service["image"] == "catalyst"}
    assert {name for name, _ in targets} == ours
    for name, port in targets:
        assert any(mapped.endswith(f":{port}") for mapped in services[name]["ports"]), name
