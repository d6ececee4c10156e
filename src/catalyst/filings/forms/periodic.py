"""10-K, 10-Q, 20-F and 40-F: the text by section, and the tagged numbers.

A section is taken only where its heading's number and title agree, so that none is shifted silently; of several places
(table of contents, the section itself) the longest text wins.
"""

from __future__ import annotations

import re
from dataclasses import replace

from catalyst.filings.forms.items import words
from catalyst.filings.forms.parts import basis, main_document, main_text, releases
from catalyst.filings.forms.xbrl import has_xbrl, xbrl_facts
from catalyst.filings.types import Document, ItemText, Parsed, Submission

_ANNUAL: tuple[tuple[str, str, str], ...] = (
    ("1", "business", "Business"),
    ("1A", "risk factors", "Risk Factors"),
    ("1B", "unresolved", "Unresolved Staff Comments"),
    ("1C", "cybersecurity", "Cybersecurity"),
    ("2", "properties", "Properties"),
    ("3", "legal", "Legal Proceedings"),
    ("4", "mine safety", "Mine Safety Disclosures"),
    ("5", "market for", "Market for the Registrant's Common Equity"),
    ("6", "selected", "Selected Financial Data"),
    ("7", "management", "Management's Discussion and Analysis"),
    ("7A", "quantitative", "Quantitative and Qualitative Disclosures about Market Risk"),
    ("8", "financial statements", "Financial Statements and Supplementary Data"),
    ("9", "changes in", "Changes in and Disagreements with Accountants"),
    ("9A", "controls", "Controls and Procedures"),
    ("9B", "other information", "Other Information"),
    ("10", "directors", "Directors, Executive Officers and Corporate Governance"),
    ("11", "executive compensation", "Executive Compensation"),
    ("12", "security ownership", "Security Ownership"),
    ("13", "certain relationships", "Certain Relationships and Related Transactions"),
    ("14", "principal account", "Principal Accountant Fees and Services"),
    ("15", "exhibit", "Exhibits and Financial Statement Schedules"),
)
_QUARTERLY: tuple[tuple[str, str, str], ...] = (
    ("I.1", "financial statements", "Financial Statements"),
    ("I.2", "management", "Management's Discussion and Analysis"),
    ("I.3", "quantitative", "Quantitative and Qualitative Disclosures about Market Risk"),
    ("I.4", "controls", "Controls and Procedures"),
    ("II.1", "legal", "Legal Proceedings"),
    ("II.1A", "risk factors", "Risk Factors"),
    ("II.2", "unregistered", "Unregistered Sales of Equity Securities"),
    ("II.3", "defaults", "Defaults upon Senior Securities"),
    ("II.4", "mine safety", "Mine Safety Disclosures"),
    ("II.5", "other information", "Other Information"),
    ("II.6", "exhibit", "Exhibits"),
)
_HEADING = re.compile(
    r"^[ \t|*_]{0,20}(?:part[ \t]+i{1,3}v?[ \t.,:|–—-]{0,10})?item[ \t|]{0,8}(\d{1,2}[ABC]?)\b"
    r"[ \t.:|)–—-]{0,20}\n{0,2}([^\n]{0,160})",
    re.IGNORECASE | re.MULTILINE,
)


def parse(submission: Submission, form: str = "") -> Parsed:
    """Text, sections (`items`, by number; of a 10-Q by part and number) and XBRL facts."""
    parsed = basis(submission, form, "periodic", main_text(submission))
    annual = parsed.form.upper().startswith(("10-K", "20-F", "40-F"))
    sections = _sections(parsed.text, _ANNUAL if annual else _QUARTERLY)
    tagged = _tagged(submission)
    facts = xbrl_facts(tagged.body, annual, submission.header.period) if tagged else []
    return replace(parsed, items=sections, facts=tuple(facts), exhibits=releases(submission))


def _tagged(submission: Submission) -> Document | None:
    """The document that carries the XBRL: the main one where it is inline, else the instance."""
    main = main_document(submission)
    documents = ([main] if main else []) + [kept for kept in submission.documents if kept.type.upper() == "EX-101.INS"]
    return next((document for document in documents if has_xbrl(document.body)), None)


def _sections(text: str, table: tuple[tuple[str, str, str], ...]) -> tuple[ItemText, ...]:
    headings = [(found, code) for found in _HEADING.finditer(text) if (code := _code(found, table))]
    best: dict[str, str] = {}
    for index, (found, code) in enumerate(headings):
        stop = headings[index + 1][0].start() if index + 1 < len(headings) else len(text)
        content = text[found.end() : stop].strip()
        if len(content) > len(best.get(code, "")):
            best[code] = content
    return tuple(ItemText(code, title, best[code]) for code, _, title in table if best.get(code))


def _code(found: re.Match[str], table: tuple[tuple[str, str, str], ...]) -> str:
    """The section whose number and title this heading has; empty for a mention."""
    number, title = found[1].upper(), words(found[2])
    for code, key, _ in table:
        if code.rpartition(".")[2] == number and (title.startswith(key) or key in title[:60]):
            return code
    return ""
