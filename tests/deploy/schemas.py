"""What the kinds of manifests that we write may hold: a key that is misspelt or out of its place is found here.

JSON Schemas of our own, as strict as our files need; https://kubernetes.io/docs/reference/kubernetes-api/ and the
Compose specification say what each means. A field that is used first is added here, with a look at that page.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 1}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
LABELS: Schema = {"type": "object", "additionalProperties": TEXT, "minProperties": 1}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
MEMORY: Schema = {"type": "string", "pattern": r"^\d+[KMG]i$"}
CPU: Schema = {"type": "string", "pattern": r"^\d+m$"}


def of(*needed: str, **fields: Schema) -> Schema:
    """An object of these fields and no others."""
    return {"type": "object", "properties": fields, "required": list(needed), "additionalProperties": False}


def each(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


META = of("name", name={"type": "string", "pattern": "^[a-z]([a-z0-9-]*[a-z0-9])?$"}, labels=LABELS)
SELECTOR = of(
    matchLabels=LABELS,
    matchExpressions=each(of("key", "operator", key=TEXT, operator={"enum": ["In", "NotIn", "Exists"]}, values=TEXTS)),
)
_TIMES = ("periodSeconds", "timeoutSeconds", "failureThreshold", "initialDelaySeconds")
PROBE = of(
    httpGet=of("path", "port", path={"type": "string", "pattern": "^/"}, port={"anyOf": [TEXT, PORT]}),
    exec=of("command", command=TEXTS),
    **dict.fromkeys(_TIMES, COUNT),
)
SECURITY = of(
    allowPrivilegeEscalation=FLAG, readOnlyRootFilesystem=FLAG, capabilities=of("drop", drop=TEXTS)
)  # fmt: skip
CONTAINER = of(
    "name", "image", "args", "resources", "securityContext",
    name=TEXT, image=TEXT, args=TEXTS, securityContext=SECURITY,
    env=each(of("name", "value", name=TEXT, value=TEXT)),
    envFrom=each(of(configMapRef=of("name", name=TEXT), secretRef=of("name", name=TEXT))),
    ports=each(of("containerPort", name=TEXT, containerPort=PORT)),
    resources=of("requests", "limits", requests=of(cpu=CPU, memory=MEMORY), limits=of("memory", memory=MEMORY)),
    volumeMounts=each(of("name", "mountPath", name=TEXT, mountPath={"type": "string", "pattern": "^/"})),
    startupProbe=PROBE, livenessProbe=PROBE, readinessProbe=PROBE,
)  # fmt: skip
POD = of(
    "containers", "securityContext",
    terminationGracePeriodSeconds=COUNT, containers=each(CONTAINER),
    volumes=each(of("name", name=TEXT, emptyDir=of())),
    securityContext=of(
        "runAsNonRoot", runAsNonRoot={"const": True}, runAsUser=COUNT, fsGroup=COUNT,
        seccompProfile=of("type", type={"const": "RuntimeDefault"}),
    ),
)  # fmt: skip
TEMPLATE = of("metadata", "spec", metadata=of("labels", labels=LABELS), spec=POD)
CLAIM = of(
    "metadata", "spec", metadata=META,
    spec=of(
        "accessModes", "resources", accessModes={"const": ["ReadWriteOnce"]},
        resources=of("requests", requests=of("storage", storage=MEMORY)),
    ),
)  # fmt: skip
_RESOURCE = of("name", "target", name=TEXT, target=of("type", type=TEXT, averageUtilization=COUNT))
_SPECS: dict[tuple[str, str], Schema] = {
    ("v1", "Service"): of(
        "selector", "ports", clusterIP={"const": "None"}, selector=LABELS, ports=each(of("port", port=PORT))
    ),
    ("apps/v1", "StatefulSet"): of(
        "serviceName", "replicas", "selector", "template", serviceName=TEXT, replicas=COUNT, selector=SELECTOR,
        template=TEMPLATE, volumeClaimTemplates=each(CLAIM), podManagementPolicy={"enum": ["OrderedReady", "Parallel"]},
    ),
    ("apps/v1", "Deployment"): of(
        "replicas", "selector", "template", replicas=COUNT, selector=SELECTOR, template=TEMPLATE
    ),
    ("policy/v1", "PodDisruptionBudget"): of("selector", minAvailable=COUNT, maxUnavailable=COUNT, selector=SELECTOR),
    ("autoscaling/v2", "HorizontalPodAutoscaler"): of(
        "scaleTargetRef", "minReplicas", "maxReplicas", "metrics", minReplicas=COUNT, maxReplicas=COUNT,
        scaleTargetRef=of("apiVersion", "kind", "name", apiVersion=TEXT, kind=TEXT, name=TEXT),
        metrics=each(of("type", "resource", type={"const": "Resource"}, resource=_RESOURCE)),
    ),
    ("networking.k8s.io/v1", "NetworkPolicy"): of(
        "podSelector", "policyTypes", podSelector=SELECTOR, policyTypes={"const": ["Ingress"]},
        ingress=each(of(**{"from": each(of(podSelector=SELECTOR)), "ports": each(of("port", port=PORT))})),
    ),
}  # fmt: skip
KINDS: dict[tuple[str, str], Schema] = {
    (version, kind): of("apiVersion", "kind", "metadata", "spec", apiVersion=TEXT, kind=TEXT, metadata=META, spec=spec)
    for (version, kind), spec in _SPECS.items()
} | {
    ("v1", "ConfigMap"): of(
        "apiVersion", "kind", "metadata", "data", apiVersion=TEXT, kind=TEXT, metadata=META, data=LABELS
    )
}

_HEALTH = of(
    test=TEXTS, interval=TEXT, timeout=TEXT, start_period=TEXT, retries=COUNT, disable=FLAG
)  # fmt: skip
SERVICE = of(
    build=of("context", "dockerfile", context=TEXT, dockerfile=TEXT), image=TEXT, command=TEXTS, healthcheck=_HEALTH,
    restart={"enum": ["no", "always", "on-failure", "unless-stopped"]}, stop_grace_period=TEXT, read_only=FLAG,
    tmpfs=TEXTS, security_opt=TEXTS, cap_drop=TEXTS, mem_limit=TEXT, environment=LABELS, volumes=TEXTS,
    ports={"type": "array", "items": {"type": "string", "pattern": r"^127\.0\.0\.1:\d+:\d+$"}},
    env_file=each(of("path", "required", path=TEXT, required=FLAG)),
    configs=each(of("source", "target", source=TEXT, target=TEXT)),
    depends_on={"type": "object", "additionalProperties": of("condition", condition=TEXT)},
)  # fmt: skip
SERVICE["required"] = ["image", "restart"]
COMPOSE: Schema = {
    "type": "object",
    "properties": {
        "services": {"type": "object", "additionalProperties": SERVICE, "minProperties": 1},
        "volumes": {"type": "object", "additionalProperties": of()},
        "configs": {"type": "object", "additionalProperties": of("content", content=TEXT)},
    },
    "patternProperties": {"^x-": {}},
    "required": ["services"],
    "additionalProperties": False,
}
