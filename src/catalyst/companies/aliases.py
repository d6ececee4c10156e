"""What people call companies."""

from __future__ import annotations

from catalyst.companies.map import Companies


class Aliases:
    """Names and tickers of companies, each with the one spelling that stands for it."""

    @classmethod
    def build(cls, companies: Companies) -> Aliases:
        return cls()
