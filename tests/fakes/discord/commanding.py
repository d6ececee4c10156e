"""What Discord refuses of an application's commands, and of an answer to one.

Sources: discord.com/developers/docs, Application Commands ("Application Command Object", "Naming"), Receiving and
Responding ("Interaction Response Object").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.discord.rules import Refusal, units

_NAME = re.compile(r"[-_'\w]{1,32}")
_OPTION_TYPES = range(1, 12)
_BOUNDED = {4, 10}
_COMMAND_FIELDS = {"name", "description", "type", "options"}
_OPTION_FIELDS = {"name", "description", "type", "required", "choices", "min_value", "max_value"}


def check_commands(commands: Any) -> None:
    """The body of a bulk overwrite. Raises Refusal."""
    _demand(isinstance(commands, list) and len(commands) <= 100, "BASE_TYPE_MAX_LENGTH")
    names = [command.get("name") for command in commands]
    _demand(len(set(names)) == len(names), "APPLICATION_COMMANDS_DUPLICATE_NAME")
    for command in commands:
        _demand(set(command) <= _COMMAND_FIELDS and command.get("type", 1) == 1, "UNKNOWN_FIELD")
        _named(command)
        options = command.get("options", [])
        _demand(len(options) <= 25, "BASE_TYPE_MAX_LENGTH")
        needed = [bool(option.get("required")) for option in options]
        _demand(needed == sorted(needed, reverse=True), "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID")
        for option in options:
            _option(option)
        _demand(_size(command) <= 8000, "APPLICATION_COMMAND_TOO_LARGE")


def check_answer(answer: Any) -> None:
    """The answer to an interaction. Raises Refusal."""
    _demand(isinstance(answer, dict) and answer.get("type") in (1, 4, 5), "BASE_TYPE_CHOICES")
    if answer["type"] == 4:
        check_said(answer.get("data"))


def check_said(data: Any) -> None:
    """What an answer, or the edit that follows a deferred one, says. Raises Refusal."""
    _demand(isinstance(data, dict) and set(data) <= {"content", "flags", "allowed_mentions"}, "UNKNOWN_FIELD")
    content = data.get("content", "")
    _demand(isinstance(content, str) and content.strip() != "", "BASE_TYPE_REQUIRED")
    _demand(units(content) <= 2000, "BASE_TYPE_MAX_LENGTH")
    _demand(data.get("allowed_mentions") == {"parse": []}, "MENTIONS_ARE_ON")


def _named(each: Mapping[str, Any]) -> None:
    name, described = each.get("name", ""), each.get("description", "")
    _demand(_NAME.fullmatch(name) is not None and name == name.lower(), "APPLICATION_COMMAND_INVALID_NAME")
    _demand(isinstance(described, str) and 1 <= units(described) <= 100, "BASE_TYPE_BAD_LENGTH")


def _option(option: Mapping[str, Any]) -> None:
    _demand(set(option) <= _OPTION_FIELDS and option.get("type") in _OPTION_TYPES, "UNKNOWN_FIELD")
    _named(option)
    _demand(option["type"] in _BOUNDED or not {"min_value", "max_value"} & set(option), "BASE_TYPE_NOT_ALLOWED")
    choices = option.get("choices", [])
    _demand(len(choices) <= 25 and (not choices or option["type"] in (3, 4, 10)), "BASE_TYPE_MAX_LENGTH")
    for choice in choices:
        _demand(1 <= units(choice["name"]) <= 100 and choice["value"] != "", "BASE_TYPE_BAD_LENGTH")
        _demand(isinstance(choice["value"], str) == (option["type"] == 3), "BASE_TYPE_NOT_ALLOWED")


def _size(command: Mapping[str, Any]) -> int:
    total = units(command["name"]) + units(command["description"])
    for option in command.get("options", []):
        total += units(option["name"]) + units(option["description"])
        total += sum(units(choice["name"]) + units(str(choice["value"])) for choice in option.get("choices", []))
    return total


def _demand(holds: bool, code: str) -> None:
    if not holds:
        raise Refusal(400, 50035, "Invalid Form Body", {"_errors": [{"code": code}]})
