"""The only composition root: nothing else constructs a room's parts. One file per thing that can be run.

`service` is what `up` and `serve` run; `hub` is what every room that asks a model needs.
"""

from catalyst.app.build.hub import hub
from catalyst.app.build.prompts import prompts
from catalyst.app.build.service import Service, service

__all__ = ["Service", "hub", "prompts", "service"]
