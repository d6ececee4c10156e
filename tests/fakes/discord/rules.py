"""What Discord refuses in a message, with the body it answers: code 50035 and the errors nested as the fields are.

Sources: discord.com/developers/docs, Message ("Embed Limits", "Create Message", "Edit Message"), Webhook
("Execute Webhook"), Reference ("Error Messages"). Where a limit could be read in two ways, the tighter holds: lengths
are counted in UTF-16 units, and text of blanks only is empty.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

POST_FLAGS = 1 << 2 | 1 << 12
EDIT_FLAGS = 1 << 2
_WEBHOOK_FIELDS = {
    "content", "username", "avatar_url", "tts", "embeds", "allowed_mentions", "components", "attachments", "flags",
    "thread_name", "applied_tags", "poll",
}  # fmt: skip
_BOT_FIELDS = {
    "content", "nonce", "tts", "embeds", "allowed_mentions", "message_reference", "components", "sticker_ids",
    "attachments", "flags", "enforce_nonce", "poll",
}  # fmt: skip
_EDIT_FIELDS = {"content", "embeds", "flags", "allowed_mentions", "components", "attachments", "poll"}
_EMBED_FIELDS = {
    "title", "type", "description", "url", "timestamp", "color", "footer", "image", "thumbnail", "author", "fields",
}  # fmt: skip
_SNOWFLAKE = re.compile(r"\d{1,20}")


class Refusal(Exception):
    """A 4xx answer."""

    def __init__(self, status: int, code: int, message: str, errors: Any = None) -> None:
        self.status, self.code, self.errors = status, code, errors
        self.body: dict[str, Any] = {"message": message, "code": code}
        if errors is not None:
            self.body["errors"] = errors
        super().__init__(f"{status} {code} {message} {errors}")


class _Errors:
    """Collects errors by their path."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}

    def add(self, path: str, code: str, message: str) -> None:
        place = self.tree
        for step in path.split("."):
            place = place.setdefault(step, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})


def check_message(body: Any, files: Mapping[str, bytes], *, kind: str) -> None:
    """Refuse what Discord refuses; `kind` is `webhook`, `bot` or `edit`. Raises Refusal."""
    if not isinstance(body, dict):
        raise Refusal(400, 50109, "The request body contains invalid JSON.")
    errors = _Errors()
    known: Set[str] = {"webhook": _WEBHOOK_FIELDS, "bot": _BOT_FIELDS, "edit": _EDIT_FIELDS}[kind]
    for name in body.keys() - known:  # Discord passes over what it does not know; we would have meant something
        errors.add(name, "UNKNOWN_FIELD", "This client sends a field that this endpoint does not have.")
    _text(errors, "content", body.get("content"), 2000, empty=True)
    _embeds(errors, body.get("embeds"), set(files))
    _flags(errors, body.get("flags", 0), EDIT_FLAGS if kind == "edit" else POST_FLAGS)
    _nonce(errors, body)
    _attachments(errors, body.get("attachments"), files)
    _mentions(errors, body.get("allowed_mentions"))
    if errors.tree:
        raise Refusal(400, 50035, "Invalid Form Body", errors.tree)
    if kind != "edit" and not (_said(body.get("content")) or body.get("embeds") or files):
        raise Refusal(400, 50006, "Cannot send an empty message")


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _said(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _text(errors: _Errors, path: str, value: Any, most: int, *, empty: bool = False) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        errors.add(path, "BASE_TYPE_STRING", "Could not interpret as string.")
    elif not empty and not value.strip():
        errors.add(path, "BASE_TYPE_REQUIRED", "This field is required")
    elif units(value) > most:
        errors.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
    elif any("\ud800" <= character <= "\udfff" for character in value):
        errors.add(path, "BASE_TYPE_STRING", "Not a well formed string.")


def _embeds(errors: _Errors, embeds: Any, files: set[str]) -> None:
    if embeds is None:
        return
    if not isinstance(embeds, list):
        errors.add("embeds", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if len(embeds) > 10:
        errors.add("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    total = 0
    for number, embed in enumerate(embeds):
        total += _embed(errors, f"embeds.{number}", embed, files)
    if total > 6000:
        errors.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def _embed(errors: _Errors, path: str, embed: Any, files: set[str]) -> int:
    """Check one embed; returns what it adds to the 6,000."""
    if not isinstance(embed, dict):
        errors.add(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return 0
    for name in embed.keys() - _EMBED_FIELDS:
        errors.add(f"{path}.{name}", "UNKNOWN_FIELD", "No such part of an embed.")
    _text(errors, f"{path}.title", embed.get("title"), 256)
    _text(errors, f"{path}.description", embed.get("description"), 4096)
    _url(errors, f"{path}.url", embed.get("url"), files, attachments=False)
    _color(errors, path, embed.get("color"))
    _time(errors, path, embed.get("timestamp"))
    footer, author = embed.get("footer") or {}, embed.get("author") or {}
    if "footer" in embed:
        _required(errors, f"{path}.footer.text", footer.get("text"), 2048)
    if "author" in embed:
        _required(errors, f"{path}.author.name", author.get("name"), 256)
    for name in ("image", "thumbnail"):
        if name in embed:
            _url(errors, f"{path}.{name}.url", (embed[name] or {}).get("url"), files, attachments=True)
    counted = [embed.get("title"), embed.get("description"), footer.get("text"), author.get("name")]
    counted += _fields(errors, path, embed.get("fields"))
    if not any(name in embed for name in ("title", "description", "fields", "image", "thumbnail", "author", "footer")):
        errors.add(f"{path}.description", "BASE_TYPE_REQUIRED", "This field is required")
    return sum(units(text) for text in counted if isinstance(text, str))


def _fields(errors: _Errors, path: str, fields: Any) -> list[Any]:
    if fields is None:
        return []
    if not isinstance(fields, list) or len(fields) > 25:
        errors.add(f"{path}.fields", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        return []
    for number, field in enumerate(fields):
        _required(errors, f"{path}.fields.{number}.name", field.get("name"), 256)
        _required(errors, f"{path}.fields.{number}.value", field.get("value"), 1024)
        if not isinstance(field.get("inline", False), bool):
            errors.add(f"{path}.fields.{number}.inline", "BASE_TYPE_BOOLEAN", "Must be either true or false.")
    return [text for field in fields for text in (field.get("name"), field.get("value"))]


def _required(errors: _Errors, path: str, value: Any, most: int) -> None:
    if value is None:
        errors.add(path, "BASE_TYPE_REQUIRED", "This field is required")
    _text(errors, path, value, most)


def _url(errors: _Errors, path: str, value: Any, files: set[str], *, attachments: bool) -> None:
    if value is None:
        return
    if attachments and isinstance(value, str) and value.startswith("attachment://"):
        if value.removeprefix("attachment://") not in files:
            errors.add(path, "MISSING_ATTACHMENT", "No such attachment in this message.")
        return
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and " " not in value
    except (ValueError, AttributeError, TypeError):
        good = False
    if not good:
        errors.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    elif units(value) > 2048:
        errors.add(path, "BASE_TYPE_MAX_LENGTH", "Must be 2048 or fewer in length.")


def _color(errors: _Errors, path: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        errors.add(f"{path}.color", "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
    elif not 0 <= value <= 0xFFFFFF:
        errors.add(f"{path}.color", "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.")


def _time(errors: _Errors, path: str, value: Any) -> None:
    if value is None:
        return
    try:
        good = datetime.fromisoformat(value).tzinfo is not None
    except (ValueError, TypeError):
        good = False
    if not good:
        errors.add(f"{path}.timestamp", "DATETIME_TYPE_PARSE", "Could not parse as ISO8601.")


def _flags(errors: _Errors, flags: Any, allowed: int) -> None:
    if not isinstance(flags, int) or flags & ~allowed:
        errors.add("flags", "MESSAGE_FLAGS_INVALID", "These flags cannot be set here.")


def _nonce(errors: _Errors, body: dict[str, Any]) -> None:
    nonce = body.get("nonce")
    if nonce is not None and not (isinstance(nonce, int) or (isinstance(nonce, str) and units(nonce) <= 25)):
        errors.add("nonce", "NONCE_TYPE_TOO_LONG", "Nonce must be 25 or fewer in length.")
    if body.get("enforce_nonce") and nonce is None:
        errors.add("nonce", "BASE_TYPE_REQUIRED", "This field is required")


def _attachments(errors: _Errors, attachments: Any, files: Mapping[str, bytes]) -> None:
    if sum(map(len, files.values())) > 10 << 20:
        raise Refusal(413, 40005, "Request entity too large")
    for number, each in enumerate(attachments or []):
        if not _SNOWFLAKE.fullmatch(str(each.get("id", ""))):
            errors.add(f"attachments.{number}.id", "NUMBER_TYPE_COERCE", "Value is not snowflake.")


def _mentions(errors: _Errors, allowed: Any) -> None:
    """Discord would take its absence; every message of ours must say that nobody is to be mentioned."""
    if allowed is None:
        errors.add("allowed_mentions", "OURS_REQUIRED", "Without it the text may ping everyone, on an edit too.")
    elif allowed.get("parse") and set(allowed["parse"]) - {"roles", "users", "everyone"}:
        errors.add("allowed_mentions.parse", "BASE_TYPE_CHOICES", "Value must be one of roles, users, everyone.")


def finite(value: Any) -> bool:
    """No number in a JSON body may be NaN or infinite: it is not JSON."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(finite(each) for each in value.values())
    return all(finite(each) for each in value) if isinstance(value, list) else True
