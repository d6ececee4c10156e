"""The Dockerfile's steps on this machine, where there is no Docker: each stage is a chroot over a copy-on-write `/`.

What is written stays in memory and goes with the mount namespace. Needs root and overlayfs; `why_not` says what is
missing. The base image's Python is this machine's. Its packages are this environment's too, unless `literal`: then pip
installs them from the package index, as an image's build does.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
_INSTALLS = re.compile(r"pip install .*--require-hashes")


@dataclass(slots=True)
class Stage:
    """What one FROM begins."""

    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        """The arguments of the last such instruction; empty where there is none."""
        return next((text for kind, text in reversed(self.steps) if kind == instruction), "")

    @property
    def environ(self) -> dict[str, str]:
        told = " ".join(text for kind, text in self.steps if kind == "ENV")
        return dict(pair.split("=", 1) for pair in shlex.split(told))

    @property
    def command(self) -> list[str]:
        return [*json.loads(self.last("ENTRYPOINT")), *json.loads(self.last("CMD"))]

    @property
    def health(self) -> list[str]:
        found: list[str] = json.loads(self.last("HEALTHCHECK").partition("CMD ")[2])
        return found


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile, in order."""
    found: list[Stage] = []
    lines = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ").splitlines()
    for line in filter(str.strip, lines):
        kind, _, rest = line.partition(" ")
        if kind == "FROM":
            found.append(Stage(rest.partition(" AS ")[2]))
        else:
            found[-1].steps.append((kind, rest.strip()))
    return found


def why_not() -> str:
    """What this machine lacks for it; empty where it can."""
    if os.geteuid() != 0:
        return "not root: no chroot"
    if missing := [name for name in ("unshare", "chroot", "ip", "mount") if shutil.which(name) is None]:
        return f"no {', '.join(missing)}"
    probe = 'mount -t tmpfs t "$0" && mkdir "$0/u" "$0/w" "$0/r" && ' + _overlay("$0/u", "$0/w", "$0/r")
    with tempfile.TemporaryDirectory() as folder:
        command = ["unshare", "--mount", "--net", "sh", "-c", f"{probe} && chroot $0/r true", folder]
        done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"no overlay file system here: {done.stderr.strip()[:200]}"


def _overlay(upper: str, work: str, root: str) -> str:
    return f'mount -t overlay overlay -o "lowerdir=/,upperdir={upper},workdir={work}" "{root}"'


def script(folder: Path, *, literal: bool, then: str) -> str:
    """A shell program, for a mount namespace of its own: build all stages under `folder`, then do `then` with $ROOT."""
    lines = ["set -e", f"mount -t tmpfs tmpfs {folder}"]
    every = stages(DOCKERFILE.read_text())
    for number, stage in enumerate(every):
        lines += _built(folder / (stage.name or f"s{number}"), stage, folder, literal=literal)
    last = folder / (every[-1].name or f"s{len(every) - 1}") / "root"
    return "\n".join([*lines, f"ROOT={last}", then])


def _built(place: Path, stage: Stage, folder: Path, *, literal: bool) -> Iterator[str]:
    root = place / "root"
    yield f"mkdir -p {place}/up {place}/work {root}"
    yield _overlay(f"{place}/up", f"{place}/work", str(root))
    yield f"mount -t proc proc {root}/proc; mount --bind /dev {root}/dev"
    yield f"chmod 755 {root}/root"  # this machine's Python may lie there; the base image's is for everybody
    environ = {"PATH": f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"}
    where = "/"
    for kind, text in stage.steps:
        if kind == "WORKDIR":
            where = text
            yield f"mkdir -p {root}{where}"
        elif kind == "ENV":
            pairs = dict(pair.split("=", 1) for pair in shlex.split(text))
            environ |= {name: value.replace("$PATH", environ["PATH"]) for name, value in pairs.items()}
        elif kind == "COPY":
            yield _copied(text, root, where, folder)
        elif kind == "RUN":
            run = text if literal or not _INSTALLS.search(text) else _borrowed(text)
            yield f"echo 'RUN {run[:60]}' >&2; " + in_root(str(root), ["sh", "-ec", run], environ, where)


def in_root(root: str, command: list[str], environ: dict[str, str], where: str = "/", user: str = "0") -> str:
    """A shell line that runs a command in the chroot with nothing of this environment but pip's settings."""
    names = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))} | environ
    told = [f"{name}={value}" for name, value in names.items()]
    inside = ["env", "-i", *told, "sh", "-c", f'cd {where} && exec "$@"', "sh", *command]
    return f"chroot --userspec={user}:{user} {root} {shlex.join(inside)}"


def _copied(text: str, root: Path, where: str, folder: Path) -> str:
    """COPY, from the working tree without what .dockerignore names, or from another stage."""
    *sources, target = shlex.split(text)
    if sources[0].startswith("--from="):
        origin = folder / sources.pop(0).removeprefix("--from=") / "root"
        return f"mkdir -p $(dirname {root}{target}); cp -a {origin}{sources[0]} {root}{target}"
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not {source.split("/")[0] for source in sources} & set(ignored), f"{sources}: .dockerignore leaves it out"
    into = f"{root}{where}/{target}"
    copy = "cp -a" if target.endswith("/") else "cp -aT"
    return "; ".join(f"{copy} {ROOT / source} {into}" for source in sources)


def _borrowed(text: str) -> str:
    """Instead of installing what is locked: this environment's packages, where the venv finds them."""
    venv = text.split("/bin/pip")[0]
    line = f"import sys; sys.path.insert(0, '{sysconfig.get_path('purelib')}')"
    return f'test -s {text.split()[-1]}; echo "{line}" > $(ls -d {venv}/lib/python3*/site-packages)/borrowed.pth'
