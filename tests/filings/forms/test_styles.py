"""Earnings releases in layouts of many kinds of company: each figure is found, and none is wrong."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from catalyst.filings.forms import document_text
from catalyst.filings.forms.earnings import earnings
from tests.filings.forms import layouts, layouts_more
from tests.filings.forms.layouts import Style

STYLES = [*layouts.STYLES, *layouts_more.STYLES]
KEYS = (("current", "cur"), ("prior", "prior"), ("guidance", "guidance"))


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_a_releases_figures_are_found_whatever_its_layout(style: Style) -> None:
    found: dict[tuple[str, str], list[object]] = defaultdict(list)
    for fact in earnings(document_text(style.body)):
        found[fact.name, fact.scope].append(fact.value)
    said = {
        (name, scope): [Decimal(str(value))] for scope, key in KEYS for name, value in style.said.get(key, {}).items()
    }
    assert {key: found.get(key) for key in said} == said
