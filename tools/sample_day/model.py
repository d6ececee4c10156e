"""Companies, documents and filings of the sample day, and the HTML they are written in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
DAY = "2026-02-05"
EVENING_BEFORE = "2026-02-04"

ITEMS = {
    "1.01": "Entry into a Material Definitive Agreement",
    "1.03": "Bankruptcy or Receivership",
    "1.05": "Material Cybersecurity Incidents",
    "2.02": "Results of Operations and Financial Condition",
    "2.05": "Costs Associated with Exit or Disposal Activities",
    "2.06": "Material Impairments",
    "3.02": "Unregistered Sales of Equity Securities",
    "4.02": "Non-Reliance on Previously Issued Financial Statements or a Related Audit Report "
    "or Completed Interim Review",
    "5.02": "Departure of Directors or Certain Officers; Election of Directors; Appointment of Certain Officers: "
    "Compensatory Arrangements of Certain Officers",
    "7.01": "Regulation FD Disclosure",
    "8.01": "Other Events",
    "9.01": "Financial Statements and Exhibits",
}


@dataclass(frozen=True)
class Party:
    """A company or a person with an invented CIK."""

    name: str
    cik: str
    ticker: str = ""
    exchange: str = "Nasdaq"
    sic: str = ""
    state: str = "DE"
    place: str = ""
    file_number: str = ""

    @property
    def person(self) -> bool:
        return not self.sic


@dataclass(frozen=True)
class Document:
    """One document; `wrapper` is XML or XBRL where EDGAR puts the body into such a tag."""

    type: str
    filename: str
    description: str
    body: str
    wrapper: str = ""


@dataclass(frozen=True)
class Filing:
    """One accession: `parties` are (role as in the feed, party), the first one the subject of the URL."""

    form: str
    at: str
    """`HH:MM:SS` of the day, or a full ISO time for one that was accepted the evening before."""
    number: str
    parties: tuple[tuple[str, Party], ...]
    documents: tuple[Document, ...]
    items: tuple[str, ...] = ()
    period: str = ""

    @property
    def accepted(self) -> datetime:
        text = self.at if "T" in self.at else f"{DAY}T{self.at}"
        return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def page(title: str, *blocks: str) -> str:
    """A whole HTML document."""
    body = "\n".join(blocks)
    return f"<html>\n<head>\n<title>{title}</title>\n</head>\n<body>\n{body}\n</body>\n</html>"


def p(text: str) -> str:
    return f'<p style="font-family:Times New Roman;font-size:10pt">{text}</p>'


def b(text: str) -> str:
    return f'<p style="font-family:Times New Roman;font-size:10pt"><b>{text}</b></p>'


def c(text: str) -> str:
    return f'<p style="text-align:center;font-family:Times New Roman;font-size:10pt"><b>{text}</b></p>'


def table(*rows: tuple[str, ...]) -> str:
    """A table as filers write it: labels left, numbers right, dollar signs in the cells."""
    lines = []
    for row in rows:
        cells = [f'<td style="text-align:{"left" if n == 0 else "right"}">{cell}</td>' for n, cell in enumerate(row)]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return '<table style="width:100%;border-collapse:collapse">\n' + "\n".join(lines) + "\n</table>"


def cover(company: Party, form: str, date: str) -> list[str]:
    """The cover page of a current report."""
    return [
        c("UNITED STATES<br/>SECURITIES AND EXCHANGE COMMISSION<br/>Washington, D.C. 20549"),
        c(f"FORM {form}"),
        c("CURRENT REPORT<br/>Pursuant to Section 13 or 15(d) of the Securities Exchange Act of 1934"),
        c(f"Date of Report (Date of earliest event reported): {date}"),
        c(company.name),
        c("(Exact name of registrant as specified in its charter)"),
        table(
            (company.state, company.file_number, "00-0000000"),
            ("(State of incorporation)", "(Commission File Number)", "(IRS Employer Identification No.)"),
        ),
        p(company.place),
        table(
            ("Title of each class", "Trading Symbol(s)", "Name of each exchange on which registered"),
            ("Common Stock, par value $0.001 per share", company.ticker, company.exchange),
        ),
    ]


def item(code: str, *texts: str) -> list[str]:
    """An item's heading and its paragraphs."""
    return [b(f"Item {code} {ITEMS[code]}."), *[text if text.startswith("<") else p(text) for text in texts]]


def signed(company: Party, who: str, title: str, date: str = "February 5, 2026") -> list[str]:
    return [
        c("SIGNATURE"),
        p(
            "Pursuant to the requirements of the Securities Exchange Act of 1934, the registrant has duly caused this "
            "report to be signed on its behalf by the undersigned hereunto duly authorized."
        ),
        p(company.name),
        p(f"Date: {date}"),
        p(f"By: /s/ {who}<br/>{who}<br/>{title}"),
    ]
