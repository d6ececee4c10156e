"""`catalyst parse`: what the parsers make of files on disk; a summary for people, JSON lines for machines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from catalyst.filings.types import Parsed

_CHUNK = 1 << 20
_SHOWN_FACTS = 12


def parse(
    files: Annotated[list[Path], typer.Argument(help="Submissions (.txt), documents (.htm, .xml, .txt) or folders.")],
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object per file and line.")] = False,
    form: Annotated[str, typer.Option("--form", help="The form, where the file is silent: 8-K, 10-Q, 4 …")] = "",
    text: Annotated[bool, typer.Option("--text", help="With the main document's plain text.")] = False,
) -> None:
    """Read filings from disk: form, company, items, exhibits, facts, and what is missing or broken in them.

    Nothing is fetched. A file that is no filing gives one line with the reason and the others are still read; the exit
    code is then 1. A filing that is only damaged is read as far as possible, with its `problems`.
    """
    failed = 0
    try:
        for path in _walk(files):
            _progress(path)
            failed += not _one(path, form.strip().upper(), jsonl, text)
        _progress(None)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    if failed:
        raise typer.Exit(1)


def _walk(files: list[Path]) -> Iterator[Path]:
    """Every file named, and every file in a folder named, in order of name; links to folders are not followed."""
    for path in files:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def _one(path: Path, form: str, jsonl: bool, text: bool) -> bool:
    """Read and show one file; False when it could not be read as a filing."""
    from catalyst.errors import CatalystError

    try:
        parsed = _read(path, form)
    except CatalystError as error:
        return _fail(path, str(error), jsonl)
    except OSError as error:
        return _fail(path, f"{error.strerror or error}: check the path and its rights", jsonl)
    except Exception as error:  # noqa: BLE001 (one file must not stop the others)
        return _fail(path, f"the parser failed ({type(error).__name__}): report this file", jsonl)
    if jsonl:
        _put(_json(_record(path, parsed, text)))
    else:
        _put("\n".join(_summary(path, parsed)))
        if text:
            _put(_printable(parsed.text))
    return True


def _read(path: Path, form: str) -> Parsed:
    from catalyst.errors import ParseError
    from catalyst.filings.forms import SubmissionReader
    from catalyst.filings.forms import parse as parse_submission

    if path.exists() and not path.is_file():
        raise ParseError("not a regular file: give a file or a folder")
    reader = SubmissionReader(form)
    with path.open("rb") as source:
        while not reader.done and (chunk := source.read(_CHUNK)):
            reader.feed(chunk)
    return parse_submission(reader.close(), form)


def _fail(path: Path, message: str, jsonl: bool) -> bool:
    line = " ".join(_printable(message).split())
    if jsonl:
        _put(_json({"file": str(path), "ok": False, "error": line}))
    else:
        sys.stdout.flush()
        print(f"catalyst: {_printable(str(path))}: {line}", file=sys.stderr)
    return False


def _record(path: Path, parsed: Parsed, text: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "file": str(path),
        "ok": True,
        "accession": parsed.accession,
        "form": parsed.form,
        "family": parsed.family,
        "company": _company(parsed),
        "items": [{"code": item.code, "title": item.title, "chars": len(item.text)} for item in parsed.items],
        "exhibits": [
            {"type": exhibit.type, "filename": exhibit.filename, "chars": len(exhibit.text)}
            for exhibit in parsed.exhibits
        ],
        "facts": [fact.model_dump(mode="json") for fact in parsed.facts],
        "problems": list(parsed.problems),
        "chars": len(parsed.text),
    }
    if text:
        record["text"] = parsed.text
    return record


def _company(parsed: Parsed) -> str:
    """Whom the filing is about: the issuer or subject before the filer."""
    by_role = {party.role: party.name for party in reversed(parsed.header.parties)}
    return next((by_role[role] for role in ("issuer", "subject", "filer") if role in by_role), "")


def _summary(path: Path, parsed: Parsed) -> Iterator[str]:
    accepted = parsed.header.accepted
    head = (
        parsed.form or "unknown form",
        parsed.accession,
        _company(parsed),
        f"{accepted:%Y-%m-%d %H:%M}" if accepted else "",
    )
    yield _printable(str(path))
    yield "  " + " · ".join(_printable(part) for part in head if part) + f" · {len(parsed.text):,} characters"
    for item in parsed.items:
        yield f"  item {item.code} {item.title} ({len(item.text):,})"
    for exhibit in parsed.exhibits:
        yield _printable(f"  {exhibit.type} {exhibit.filename} ({len(exhibit.text):,})")
    for fact in parsed.facts[:_SHOWN_FACTS]:
        value = fact.value if isinstance(fact.value, str) else f"{fact.value:,f}"
        yield _printable(f"  {fact.name} = {value} {fact.unit} {fact.period} {fact.scope}".rstrip())
    if len(parsed.facts) > _SHOWN_FACTS:
        yield f"  and {len(parsed.facts) - _SHOWN_FACTS} more facts (--jsonl shows all)"
    for problem in parsed.problems:
        yield _printable(f"  problem: {problem}")


def _json(record: dict[str, Any]) -> str:
    import json

    return json.dumps(record, ensure_ascii=True)


def _printable(text: str) -> str:
    """A filing's text without control characters: it must not steer the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)


def _put(text: str) -> None:
    """To stdout at once, whatever its encoding."""
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def _progress(path: Path | None) -> None:
    if sys.stderr.isatty() and not sys.stdout.isatty():
        shown = f"reading {path.name[:60]}" if path else ""
        print(f"\r\033[K{_printable(shown)}", end="", file=sys.stderr, flush=True)
