"""The 8-K items by code, with the names the SGML header gives them (Form 8-K; before 23 August 2004 items 1 to 12).

Names: https://www.sec.gov/files/form8-k.pdf and EDGAR's ITEM INFORMATION lines, whose wording changed over the years.
"""

from __future__ import annotations

import re

ITEMS: tuple[tuple[str, str], ...] = (
    ("1.01", "Entry into a Material Definitive Agreement"),
    ("1.02", "Termination of a Material Definitive Agreement"),
    ("1.03", "Bankruptcy or Receivership"),
    ("1.04", "Mine Safety - Reporting of Shutdowns and Patterns of Violations"),
    ("1.05", "Material Cybersecurity Incidents"),
    ("2.01", "Completion of Acquisition or Disposition of Assets"),
    ("2.02", "Results of Operations and Financial Condition"),
    (
        "2.03",
        "Creation of a Direct Financial Obligation or an Obligation under an Off-Balance Sheet Arrangement of a "
        "Registrant",
    ),
    (
        "2.04",
        "Triggering Events That Accelerate or Increase a Direct Financial Obligation or an Obligation under an "
        "Off-Balance Sheet Arrangement",
    ),
    ("2.05", "Costs Associated with Exit or Disposal Activities"),
    ("2.06", "Material Impairments"),
    (
        "3.01",
        "Notice of Delisting or Failure to Satisfy a Continued Listing Rule or Standard; Transfer of Listing",
    ),
    ("3.02", "Unregistered Sales of Equity Securities"),
    ("3.03", "Material Modification to Rights of Security Holders"),
    ("4.01", "Changes in Registrant's Certifying Accountant"),
    (
        "4.02",
        "Non-Reliance on Previously Issued Financial Statements or a Related Audit Report or Completed Interim Review",
    ),
    ("5.01", "Changes in Control of Registrant"),
    (
        "5.02",
        "Departure of Directors or Certain Officers; Election of Directors; Appointment of Certain Officers: "
        "Compensatory Arrangements of Certain Officers",
    ),
    ("5.03", "Amendments to Articles of Incorporation or Bylaws; Change in Fiscal Year"),
    ("5.04", "Temporary Suspension of Trading Under Registrant's Employee Benefit Plans"),
    (
        "5.05",
        "Amendments to the Registrant's Code of Ethics, or Waiver of a Provision of the Code of Ethics",
    ),
    ("5.06", "Change in Shell Company Status"),
    ("5.07", "Submission of Matters to a Vote of Security Holders"),
    ("5.08", "Shareholder Director Nominations"),
    ("6.01", "ABS Informational and Computational Material"),
    ("6.02", "Change of Servicer or Trustee"),
    ("6.03", "Change in Credit Enhancement or Other External Support"),
    ("6.04", "Failure to Make a Required Distribution"),
    ("6.05", "Securities Act Updating Disclosure"),
    ("6.06", "Static Pool"),
    ("6.10", "Alternative Filings of Asset-Backed Issuers"),
    ("7.01", "Regulation FD Disclosure"),
    ("8.01", "Other Events"),
    ("9.01", "Financial Statements and Exhibits"),
)
"""Current numbering: code and title."""

OLD_ITEMS: tuple[tuple[str, str], ...] = (
    ("1", "Changes in Control of Registrant"),
    ("2", "Acquisition or Disposition of Assets"),
    ("3", "Bankruptcy or Receivership"),
    ("4", "Changes in Registrant's Certifying Accountant"),
    ("5", "Other Events"),
    ("6", "Resignations of Registrant's Directors"),
    ("7", "Financial Statements and Exhibits"),
    ("8", "Change in Fiscal Year"),
    ("9", "Regulation FD Disclosure"),
    ("10", "Amendments to the Registrant's Code of Ethics"),
    ("11", "Temporary Suspension of Trading Under Registrant's Employee Benefit Plans"),
    ("12", "Results of Operations and Financial Condition"),
)
"""Numbering in force until 22 August 2004."""

TITLES: dict[str, str] = dict(ITEMS) | dict(OLD_ITEMS)

# Wordings of ITEM INFORMATION that differ from the form's own titles.
_OTHER_NAMES: tuple[tuple[str, str], ...] = (
    ("Departure of Directors or Principal Officers; Election of Directors; Appointment of Principal Officers", "5.02"),
    ("Departure of Directors or Certain Officers; Election of Directors; Appointment of Certain Officers", "5.02"),
    ("Amendments to the Registrant's Code of Ethics", "5.05"),
    ("Mine Safety", "1.04"),
    ("Notice of Delisting or Failure to Satisfy a Continued Listing Rule or Standard", "3.01"),
    ("Alternative Filings of Asset-Backed Issuers", "6.10"),
    ("Earnings Release", "2.02"),
)
_WORDS = re.compile(r"[a-z0-9]+")
_CODE = re.compile(r"^(?:item\s*)?(\d{1,2}(?:\.\d{2})?)\.?$", re.IGNORECASE)
_PREFIX = 48


def words(text: str) -> str:
    """A title for comparison: lower case, letters and digits only, words joined by one space."""
    return " ".join(_WORDS.findall(text.lower()))


_NEW_BY_NAME = {words(title): code for code, title in ITEMS} | {words(name): code for name, code in _OTHER_NAMES}
_OLD_BY_NAME = {words(title): code for code, title in OLD_ITEMS}


def item_code(name: str, old: bool = False) -> str:
    """The code of a header's ITEM INFORMATION line; `old` for filings before 23 August 2004; empty when unknown."""
    code = _CODE.match(name.strip())
    if code:
        return code[1]
    first, second = (_OLD_BY_NAME, _NEW_BY_NAME) if old else (_NEW_BY_NAME, _OLD_BY_NAME)
    key = words(name)
    for table in (first, second):
        if key in table:
            return table[key]
    return _by_beginning(key, first)


def _by_beginning(key: str, table: dict[str, str]) -> str:
    """EDGAR cuts long names; a long common beginning is enough."""
    if len(key) < _PREFIX:
        return ""
    return next((code for name, code in table.items() if name.startswith(key[:_PREFIX])), "")
