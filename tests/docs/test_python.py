"""Python on the pages is Python, and what it imports of ours is there."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, pages

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)


def blocks(page: Path) -> list[str]:
    return [block[1] for block in _BLOCK.finditer(page.read_text())]


@pytest.mark.parametrize("page", [page for page in pages() if blocks(page)], ids=lambda page: page.stem)
def test_pythons_blocks_can_be_read_and_import_what_exists(page: Path):
    for text in blocks(page):
        compile(text, str(page.relative_to(ROOT)), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module:
                found = importlib.import_module(node.module)
                for name in node.names:
                    assert hasattr(found, name.name), f"{page.name}: {node.module} has no {name.name}"
            elif isinstance(node, ast.Import):
                for name in node.names:
                    importlib.import_module(name.name)


def test_the_hubs_methods_that_pages_call_exist():
    from catalyst.llm.service import LLMService

    called = {name for page in pages() for text in blocks(page) for name in re.findall(r"\bhub\.(\w+)", text)}
    assert {"query", "stream", "query_batch"} <= called
    assert {name for name in called if not hasattr(LLMService, name)} == set()
