"""A Discord on loopback that is as strict as the real one: `FakeDiscord` in `server.py`, its rules in `rules.py`."""

from tests.fakes.discord.rules import Refusal, check_message
from tests.fakes.discord.server import FakeDiscord, Fault

__all__ = ["FakeDiscord", "Fault", "Refusal", "check_message"]
