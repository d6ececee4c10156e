"""Catalyst: SEC filings read by the cheapest good-enough model, told to traders within seconds."""

from __future__ import annotations

__version__ = "0.1.0"
