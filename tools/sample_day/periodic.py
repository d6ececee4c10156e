"""Periodic reports: a 10-Q in inline XBRL, a short 10-K, a late-filing notice, a foreign issuer's 6-K, a proxy."""
# ruff: noqa: E501 (prose and tables read better unbroken)

from __future__ import annotations

from .model import Document, Filing, b, c, p, page, signed, table
from .people import ARDMOOR, MOSSBRIDGE, NORVALE, SENJAKU

_NAMESPACES = " ".join(
    f'xmlns:{name}="{uri}"' if name else f'xmlns="{uri}"'
    for name, uri in {
        "": "http://www.w3.org/1999/xhtml",
        "ix": "http://www.xbrl.org/2013/inlineXBRL",
        "ixt": "http://www.xbrl.org/inlineXBRL/transformation/2020-02-12",
        "xbrli": "http://www.xbrl.org/2003/instance",
        "xbrldi": "http://xbrl.org/2006/xbrldi",
        "link": "http://www.xbrl.org/2003/linkbase",
        "xlink": "http://www.w3.org/1999/xlink",
        "iso4217": "http://www.xbrl.org/2003/iso4217",
        "dei": "http://xbrl.sec.gov/dei/2025",
        "us-gaap": "http://fasb.org/us-gaap/2025",
        "nvli": "http://norvale.invalid/20251231",
    }.items()
)


def _context(name: str, start: str, end: str, segment: str = "") -> str:
    period = (
        f"<xbrli:startDate>{start}</xbrli:startDate><xbrli:endDate>{end}</xbrli:endDate>"
        if start
        else f"<xbrli:instant>{end}</xbrli:instant>"
    )
    inside = (
        '<xbrli:segment><xbrldi:explicitMember dimension="us-gaap:StatementBusinessSegmentsAxis">'
        f"{segment}</xbrldi:explicitMember></xbrli:segment>"
        if segment
        else ""
    )
    return (
        f'<xbrli:context id="{name}"><xbrli:entity><xbrli:identifier scheme="http://www.sec.gov/CIK">{NORVALE.cik}'
        f"</xbrli:identifier>{inside}</xbrli:entity><xbrli:period>{period}</xbrli:period></xbrli:context>"
    )


_CONTEXTS = "\n".join(
    (
        _context("q", "2025-10-01", "2025-12-31"),
        _context("q-prior", "2024-10-01", "2024-12-31"),
        _context("half", "2025-07-01", "2025-12-31"),
        _context("half-prior", "2024-07-01", "2024-12-31"),
        _context("end", "", "2025-12-31"),
        _context("end-prior", "", "2025-06-30"),
        _context("cover", "", "2026-01-30"),
        _context("q-bio", "2025-10-01", "2025-12-31", "nvli:BioanalysisMember"),
        _context("q-industrial", "2025-10-01", "2025-12-31", "nvli:IndustrialMember"),
    )
)

_UNITS = (
    '<xbrli:unit id="usd"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>\n'
    '<xbrli:unit id="shares"><xbrli:measure>xbrli:shares</xbrli:measure></xbrli:unit>\n'
    '<xbrli:unit id="usd-per-share"><xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:USD</xbrli:measure>'
    "</xbrli:unitNumerator><xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure>"
    "</xbrli:unitDenominator></xbrli:divide></xbrli:unit>"
)


def _text(name: str, value: str, context: str = "half", extra: str = "") -> str:
    return f'<ix:nonNumeric name="dei:{name}" contextRef="{context}"{extra}>{value}</ix:nonNumeric>'


def _thousands(name: str, context: str, shown: str) -> str:
    """A fact in thousands; shown in parentheses when it is negative."""
    negative = shown.startswith("(")
    digits = shown.strip("()")
    sign = ' sign="-"' if negative else ""
    fact = (
        f'<ix:nonFraction name="us-gaap:{name}" contextRef="{context}" unitRef="usd" decimals="-3" scale="3" '
        f'format="ixt:num-dot-decimal"{sign}>{digits}</ix:nonFraction>'
    )
    return f"({fact})" if negative else fact


def _plain(name: str, context: str, shown: str, unit: str, decimals: str, scale: str = "0") -> str:
    space = "dei" if name.startswith("Entity") else "us-gaap"
    return (
        f'<ix:nonFraction name="{space}:{name}" contextRef="{context}" unitRef="{unit}" decimals="{decimals}" '
        f'scale="{scale}" format="ixt:num-dot-decimal">{shown}</ix:nonFraction>'
    )


def _row(label: str, name: str, *cells: tuple[str, str]) -> tuple[str, ...]:
    return (label, *[_thousands(name, context, shown) for context, shown in cells])


def _four(label: str, name: str, *shown: str) -> tuple[str, ...]:
    return _row(label, name, *zip(("q", "q-prior", "half", "half-prior"), shown, strict=True))


_INCOME = table(
    (
        "(in thousands, except per share amounts)",
        "Three months ended<br/>December 31, 2025",
        "Three months ended<br/>December 31, 2024",
        "Six months ended<br/>December 31, 2025",
        "Six months ended<br/>December 31, 2024",
    ),
    _four("Revenue", "RevenueFromContractWithCustomerExcludingAssessedTax", "96,214", "103,880", "187,905", "201,466"),
    _four("Cost of revenue", "CostOfRevenue", "51,330", "50,902", "100,547", "98,719"),
    _four("Gross profit", "GrossProfit", "44,884", "52,978", "87,358", "102,747"),
    _four("Research and development", "ResearchAndDevelopmentExpense", "19,406", "17,850", "38,290", "35,014"),
    _four(
        "Selling, general and administrative",
        "SellingGeneralAndAdministrativeExpense",
        "28,117",
        "25,643",
        "55,612",
        "50,877",
    ),
    _four("Operating income (loss)", "OperatingIncomeLoss", "(2,639)", "9,485", "(6,544)", "16,856"),
    _four("Net income (loss)", "NetIncomeLoss", "(3,018)", "7,702", "(6,911)", "13,570"),
    (
        "Diluted earnings (loss) per share",
        "("
        + _plain("EarningsPerShareDiluted", "q", "0.11", "usd-per-share", "2").replace(" scale", ' sign="-" scale')
        + ")",
        _plain("EarningsPerShareDiluted", "q-prior", "0.28", "usd-per-share", "2"),
        "("
        + _plain("EarningsPerShareDiluted", "half", "0.25", "usd-per-share", "2").replace(" scale", ' sign="-" scale')
        + ")",
        _plain("EarningsPerShareDiluted", "half-prior", "0.49", "usd-per-share", "2"),
    ),
)

_BALANCE = table(
    ("(in thousands)", "December 31, 2025", "June 30, 2025"),
    _row(
        "Cash and cash equivalents", "CashAndCashEquivalentsAtCarryingValue", ("end", "58,447"), ("end-prior", "71,209")
    ),
    _row("Inventory, net", "InventoryNet", ("end", "83,612"), ("end-prior", "77,940")),
    _row("Total assets", "Assets", ("end", "402,318"), ("end-prior", "411,775")),
    _row("Total liabilities", "Liabilities", ("end", "166,102"), ("end-prior", "169,331")),
    _row("Total stockholders&#8217; equity", "StockholdersEquity", ("end", "236,216"), ("end-prior", "242,444")),
)

_SEGMENTS = table(
    ("(in thousands)", "Three months ended December 31, 2025"),
    _row("Bioanalysis", "RevenueFromContractWithCustomerExcludingAssessedTax", ("q-bio", "61,005")),
    _row("Industrial", "RevenueFromContractWithCustomerExcludingAssessedTax", ("q-industrial", "35,209")),
)

_TEN_Q = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<html {_NAMESPACES}>\n<head><title>nvli-20251231</title></head>\n<body>\n'
    '<div style="display:none"><ix:header><ix:hidden>'
    f"{_text('EntityCentralIndexKey', NORVALE.cik)}{_text('AmendmentFlag', 'false')}"
    f"{_text('DocumentFiscalYearFocus', '2026')}{_text('DocumentFiscalPeriodFocus', 'Q2')}"
    '</ix:hidden>\n<ix:references><link:schemaRef xlink:type="simple" xlink:href="nvli-20251231.xsd"/></ix:references>\n'
    f"<ix:resources>\n{_CONTEXTS}\n{_UNITS}\n</ix:resources></ix:header></div>\n"
    + "\n".join(
        (
            c("UNITED STATES<br/>SECURITIES AND EXCHANGE COMMISSION<br/>Washington, D.C. 20549"),
            c(f"FORM {_text('DocumentType', '10-Q')}"),
            c("QUARTERLY REPORT PURSUANT TO SECTION 13 OR 15(d) OF THE SECURITIES EXCHANGE ACT OF 1934"),
            p(
                "For the quarterly period ended "
                + _text("DocumentPeriodEndDate", "December 31, 2025", extra=' format="ixt:date-monthname-day-year-en"')
            ),
            c(_text("EntityRegistrantName", NORVALE.name)),
            p(f"Trading symbol: {_text('TradingSymbol', NORVALE.ticker)}"),
            p(
                "As of January 30, 2026 there were "
                + _plain("EntityCommonStockSharesOutstanding", "cover", "27,604,118", "shares", "0")
                + " shares of common stock outstanding."
            ),
            c("PART I. FINANCIAL INFORMATION"),
            b("Item 1. Financial Statements (unaudited)"),
            b("Condensed Consolidated Statements of Operations"),
            _INCOME,
            b("Condensed Consolidated Balance Sheets"),
            _BALANCE,
            b("Note 4. Segments"),
            _SEGMENTS,
            b("Item 2. Management&#8217;s Discussion and Analysis of Financial Condition and Results of Operations"),
            p(
                "Revenue decreased 7.4% to $96.2 million in the second quarter of fiscal 2026, from $103.9 million, as "
                "academic customers deferred instrument purchases. Gross margin fell to 46.7% from 51.0%. We recorded a "
                "net loss of $3.0 million, compared with net income of $7.7 million a year earlier."
            ),
            p("We were in compliance with our credit facility&#8217;s leverage covenant as of December 31, 2025."),
            b("Item 4. Controls and Procedures"),
            p("Our disclosure controls and procedures were effective as of December 31, 2025."),
            c("PART II. OTHER INFORMATION"),
            b("Item 1A. Risk Factors"),
            p("A further decline in research funding could reduce demand for our instruments."),
            *signed(NORVALE, "Clementine Abarca", "Chief Financial Officer"),
        )
    )
    + "\n</body>\n</html>"
)

QUARTERLY = Filing(
    "10-Q",
    "06:01:02",
    "0009100066-26-000005",
    (("Filer", NORVALE),),
    (Document("10-Q", "nvli-20251231.htm", "10-Q", _TEN_Q, "XBRL"),),
    period="20251231",
)

ANNUAL = Filing(
    "10-K",
    "06:05:05",
    "0009100077-26-000003",
    (("Filer", ARDMOOR),),
    (
        Document(
            "10-K",
            "ardm-20251231x10k.htm",
            "10-K",
            page(
                "10-K",
                c("UNITED STATES<br/>SECURITIES AND EXCHANGE COMMISSION<br/>Washington, D.C. 20549"),
                c("FORM 10-K<br/>ANNUAL REPORT<br/>For the fiscal year ended December 31, 2025"),
                c(ARDMOOR.name),
                c("PART I"),
                b("Item 1. Business"),
                p("We own about 214,000 acres of timberland in Oregon and operate two sawmills."),
                b("Item 1A. Risk Factors"),
                p("Wildfire destroyed 6,900 acres of our timber in 2025 and could recur."),
                p("One customer accounted for 17% of sales; the loss of it would harm our results."),
                b("Item 3. Legal Proceedings"),
                p("We are a party to no material proceedings."),
                c("PART II"),
                b(
                    "Item 7. Management&#8217;s Discussion and Analysis of Financial Condition and Results of Operations"
                ),
                p(
                    "Net sales rose 4.1% to $288.4 million in 2025. Net income was $22.9 million, or $1.37 per diluted share."
                ),
                table(
                    ("(in thousands, except per share amounts)", "2025", "2024"),
                    ("Net sales", "$ 288,402", "$ 277,016"),
                    ("Operating income", "34,118", "31,207"),
                    ("Loss from wildfire", "(5,860)", "&#8212;"),
                    ("Net income", "$ 22,905", "$ 21,774"),
                    ("Diluted earnings per share", "$ 1.37", "$ 1.29"),
                ),
                b("Item 8. Financial Statements and Supplementary Data"),
                p("The financial statements begin on page F-1."),
                b("Item 9A. Controls and Procedures"),
                p("Management concluded that internal control over financial reporting was effective."),
                *signed(ARDMOOR, "Wilhelmina Strand", "Chief Executive Officer"),
            ),
        ),
    ),
    period="20251231",
)

LATE = Filing(
    "NT 10-Q",
    "06:06:10",
    "0009100110-26-000002",
    (("Filer", MOSSBRIDGE),),
    (
        Document(
            "NT 10-Q",
            "msbe-nt10q.htm",
            "NT 10-Q",
            page(
                "NT 10-Q",
                c("FORM 12b-25<br/>NOTIFICATION OF LATE FILING"),
                p("For Period Ended: December 31, 2025"),
                c(MOSSBRIDGE.name),
                b("PART III &#8212; NARRATIVE"),
                p(
                    "The registrant could not complete its Form 10-Q in time because it is evaluating an impairment of "
                    "its oil and gas properties after the fall in commodity prices."
                ),
                b("PART IV &#8212; OTHER INFORMATION"),
                p(
                    "The registrant expects a net loss of approximately $31 million for the quarter, compared with net "
                    "income of $4.6 million in the quarter ended December 31, 2024."
                ),
            ),
        ),
    ),
    period="20251231",
)

FOREIGN = Filing(
    "6-K",
    "06:02:40",
    "0009990017-26-000110",
    (("Filer", SENJAKU),),
    (
        Document(
            "6-K",
            "sjku-6k.htm",
            "6-K",
            page(
                "6-K",
                c("FORM 6-K<br/>REPORT OF FOREIGN PRIVATE ISSUER<br/>For the month of February 2026"),
                c(SENJAKU.name),
                p("Exhibit 99.1: Announcement of nine-month results."),
                *signed(SENJAKU, "Haruto Ellingsen", "Company Secretary"),
            ),
        ),
        Document(
            "EX-99.1",
            "sjku-ex991.htm",
            "EX-99.1",
            page(
                "EX-99.1",
                c("Senjaku Holdings announces results for the nine months ended December 31, 2025"),
                p("Revenue rose 6.2% to US$1,204.5 million. Profit for the period fell 11% to US$93.1 million."),
                p("The Board declared an interim dividend of US$0.14 per share."),
                table(
                    ("(US$ in thousands)", "Nine months 2025", "Nine months 2024"),
                    ("Revenue", "1,204,518", "1,134,190"),
                    ("Profit for the period", "93,106", "104,613"),
                    ("Finance costs", "(41,220)", "(35,874)"),
                ),
            ),
        ),
    ),
    period="20260205",
)

PROXY = Filing(
    "DEF 14A",
    "06:08:30",
    "0009100077-26-000004",
    (("Filer", ARDMOOR),),
    (
        Document(
            "DEF 14A",
            "ardm-def14a.htm",
            "DEF 14A",
            page(
                "DEF 14A",
                c("SCHEDULE 14A<br/>Definitive Proxy Statement"),
                c(ARDMOOR.name),
                p("The annual meeting will be held on March 26, 2026. Holders of record on February 2, 2026 may vote."),
                b("Proposal 1. Election of seven directors"),
                b("Proposal 2. Advisory vote on executive compensation"),
                p("Total compensation of our Chief Executive Officer for 2025 was $3,140,882."),
                b("Proposal 3. Ratification of the independent auditor"),
            ),
        ),
    ),
    period="20260326",
)

FILINGS = (QUARTERLY, ANNUAL, LATE, FOREIGN, PROXY)
