"""Drafts as HTML: everything escaped, each paragraph in its own direction. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from catalyst.writer.language import LANGUAGES, direction

_BLANK = re.compile(r"\n\s*\n")


def html(body: str, language: str, sections: Sequence[tuple[str, Sequence[str]]] = ()) -> str:
    """Plain text as one HTML block. Nothing of the text is taken as markup.

    `sections` are lists, each titled by a word of the language's, by itself, or not at all.
    """
    speech = LANGUAGES[language]
    parts = [_paragraph(text) for text in _BLANK.split(body.strip()) if text.strip()]
    for title, items in sections:
        if said := [item for item in items if item.strip()]:
            head = f"<h3>{escape(speech.words.get(title, title))}</h3>" if title else ""
            points = "".join(f'<li dir="{direction(item)}">{escape(item)}</li>' for item in said)
            parts.append(f"{head}<ul>{points}</ul>")
    inside = "\n".join(parts)
    return f'<div lang="{language}" dir="{"rtl" if speech.rtl else "ltr"}">\n{inside}\n</div>'


def _paragraph(text: str) -> str:
    lines = "<br>\n".join(escape(line.strip()) for line in text.strip().splitlines())
    return f'<p dir="{direction(text)}">{lines}</p>'
