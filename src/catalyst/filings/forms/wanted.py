"""Which documents of a submission are worth waiting for, by form.

EDGAR keeps the filer's order: the main document, its exhibits by number, then XBRL files, then what EDGAR renders
itself (XML, EXCEL, ZIP, JSON). Graphics usually follow the exhibits, but may stand before them (0000092122-07-000008).
"""

from __future__ import annotations

import re

_EXHIBITS_MATTER = ("8-K", "6-K", "40-F")
_PERIODIC = ("10-Q", "10-K", "20-F", "40-F", "10-KT", "10-QT")
_RELEASE = re.compile(r"EX-99(?![0-9])", re.IGNORECASE)
_INSTANCE = ("EX-101.INS", "EX-100.INS")
_RENDERED = re.compile(r"(?:XML|EXCEL|ZIP|JSON)$", re.IGNORECASE)
_LAST = re.compile(r"EX-10[0-9]\.|(?:XML|EXCEL|ZIP|JSON|EX-FILING FEES)$", re.IGNORECASE)
_NOT_TEXT = re.compile(r"GRAPHIC|EX-10[0-9]\.|XML$|EXCEL$|ZIP$|JSON$|COVER|PDF", re.IGNORECASE)


class Wanted:
    """Follows a submission's documents and says which to keep and when the rest cannot matter."""

    def __init__(self, form: str = "") -> None:
        self.form = form.upper()
        self._main_kept = False
        self._inline = False
        self._instance_kept = False
        self._release_kept = False
        self._graphic_first = False

    def wants(self, kind: str) -> bool:
        """Whether a document of this type is to be kept."""
        if not self._main_kept:
            return not _NOT_TEXT.match(kind)
        if self._releases and _RELEASE.match(kind):
            return True
        return self._waits_for_instance and kind.upper() in _INSTANCE

    def kept(self, kind: str, body: bytes) -> None:
        """Note a kept document. An empty body (a PDF, say) does not count as the main one."""
        if not self._main_kept:
            self._main_kept = bool(body.strip())
            self._inline = b"<ix:" in body
        elif kind.upper() in _INSTANCE:
            self._instance_kept = True
        else:
            self._release_kept = True

    def is_over(self, kind: str) -> bool:
        """Whether a document of this type shows that no wanted one follows."""
        if not self._main_kept:
            return False
        if self._waits_for_instance:
            return _RENDERED.match(kind) is not None
        if kind.upper() == "GRAPHIC":
            self._graphic_first = self._graphic_first or not self._release_kept
            return not self._graphic_first
        return _LAST.match(kind) is not None

    @property
    def satisfied(self) -> bool:
        """Whether everything wanted is here already, whatever may follow."""
        return self._main_kept and not self._releases and not self._waits_for_instance

    @property
    def _releases(self) -> bool:
        return self.form.startswith(_EXHIBITS_MATTER)

    @property
    def _waits_for_instance(self) -> bool:
        return self.form.startswith(_PERIODIC) and not self._inline and not self._instance_kept
