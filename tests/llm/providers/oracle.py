"""What the comparisons with the vendors' own packages share: a chat with a tool call, a tool, a schema."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from catalyst.llm.types import Message, Tool, ToolCall

PARAMETERS: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool(name="weather", description="Today's weather.", parameters=PARAMETERS)
ASKED = (("call_1", "weather", {"city": "Bern"}),)
HISTORY = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="Weather in Bern?"),
    Message(role="assistant", tool_calls=[ToolCall(id="call_1", name="weather", arguments='{"city":"Bern"}')]),
    Message(role="tool", tool_call_id="call_1", content="rain"),
)


class Fact(BaseModel):
    value: float
    unit: str | None = None


class Reading(BaseModel):
    """What a filing says."""

    label: str = Field(description="One word.", max_length=20)
    score: int = Field(ge=0, le=10)
    facts: list[Fact] = Field(min_length=2)
    main: Fact = Field(description="The most important one.")


READING = Reading(label="up", score=3, facts=[Fact(value=1), Fact(value=2, unit="USD")], main=Fact(value=1))
