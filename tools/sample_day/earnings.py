"""The sample day's earnings: an 8-K with items 2.02, 7.01 and 9.01 and its press release as EX-99.1."""

from __future__ import annotations

from .current import report
from .model import Document, b, c, p, page, table
from .people import HALORIN

_STATEMENT = table(
    (
        "",
        "Three months ended<br/>December 31, 2025",
        "Three months ended<br/>December 31, 2024",
        "Year ended<br/>December 31, 2025",
        "Year ended<br/>December 31, 2024",
    ),
    ("Net revenue", "$ 412,618", "$ 347,905", "$ 1,521,440", "$ 1,318,277"),
    ("Cost of revenue", "198,057", "174,302", "737,898", "659,139"),
    ("Gross profit", "214,561", "173,603", "783,542", "659,138"),
    ("Research and development", "71,204", "63,118", "271,330", "248,602"),
    ("Selling, general and administrative", "48,913", "45,760", "189,417", "181,244"),
    ("Restructuring charges", "6,250", "&#8212;", "6,250", "11,900"),
    ("Operating income", "88,194", "64,725", "316,545", "217,392"),
    ("Interest and other expense, net", "(3,402)", "(4,118)", "(14,006)", "(17,255)"),
    ("Income before income taxes", "84,792", "60,607", "302,539", "200,137"),
    ("Provision for income taxes", "(14,415)", "(10,909)", "(52,944)", "(36,025)"),
    ("Net income", "$ 70,377", "$ 49,698", "$ 249,595", "$ 164,112"),
    ("Net income per share, diluted", "$ 0.83", "$ 0.58", "$ 2.93", "$ 1.91"),
    ("Shares used, diluted", "84,803", "85,686", "85,186", "85,922"),
)

_BALANCE = table(
    ("", "December 31, 2025", "December 31, 2024"),
    ("Cash and cash equivalents", "$ 298,775", "$ 241,060"),
    ("Accounts receivable, net", "187,340", "160,218"),
    ("Inventories", "204,611", "219,487"),
    ("Property, plant and equipment, net", "521,903", "498,330"),
    ("Total assets", "1,402,886", "1,301,442"),
    ("Long-term debt", "350,000", "420,000"),
    ("Accumulated deficit", "(12,904)", "(262,499)"),
    ("Total stockholders&#8217; equity", "811,372", "612,085"),
)

_FLOWS = table(
    ("", "Year ended December 31, 2025", "Year ended December 31, 2024"),
    ("Net cash provided by operating activities", "$ 338,112", "$ 251,906"),
    ("Capital expenditures", "(121,440)", "(134,027)"),
    ("Repayment of long-term debt", "(70,000)", "(40,000)"),
    ("Repurchases of common stock", "(88,957)", "(25,000)"),
)

_RELEASE = page(
    "EX-99.1",
    c("Halorin Devices Reports Fourth Quarter and Full Year 2025 Results"),
    p("<i>Record quarterly revenue of $412.6 million, up 18.6% from a year ago; diluted EPS of $0.83</i>"),
    p(
        "BOISE, Idaho, February 5, 2026 &#8212; Halorin Devices, Inc. (Nasdaq: HLRN), a maker of power semiconductors, "
        "today announced results for its fourth quarter and year ended December 31, 2025."
    ),
    p(
        "Net revenue was $412.6 million, compared with $347.9 million in the fourth quarter of 2024. Gross margin was "
        "52.0%, compared with 49.9%. Net income was $70.4 million, or $0.83 per diluted share, compared with $49.7 "
        "million, or $0.58 per diluted share."
    ),
    p(
        "&#8220;Demand from data-center power grew faster than we planned for,&#8221; said Chief Executive Officer "
        "Beatrix Lindqvist-Amadi. &#8220;Industrial orders remained weak, and we closed our Tucson test site in the "
        "quarter.&#8221;"
    ),
    b("Outlook for the first quarter of 2026"),
    p(
        "Halorin expects net revenue of $418 million to $432 million, gross margin of 52.0% to 53.0%, and diluted "
        "earnings per share of $0.84 to $0.90. For the full year 2026 it expects net revenue of $1.70 billion to $1.76 "
        "billion. Capital expenditures are expected to be about $140 million."
    ),
    b("Consolidated Statements of Operations<br/>(in thousands, except per share amounts; unaudited)"),
    _STATEMENT,
    b("Consolidated Balance Sheets<br/>(in thousands; unaudited)"),
    _BALANCE,
    b("Selected Cash Flow Information<br/>(in thousands; unaudited)"),
    _FLOWS,
    p(
        "Forward-looking statements involve risks, among them the loss of a customer that accounted for 21% of 2025 "
        "revenue, supply constraints, and tariffs. Actual results may differ materially."
    ),
)

EARNINGS = report(
    HALORIN,
    "06:00:01",
    "0009100011-26-000007",
    {
        "2.02": [
            "On February 5, 2026, Halorin Devices, Inc. issued a press release announcing its results for the fourth "
            "quarter and year ended December 31, 2025. The release is furnished as Exhibit 99.1.",
        ],
        "7.01": [
            "The Board of Directors authorized an additional $200 million for repurchases of common stock. Management "
            "will hold a conference call at 8:30 a.m. Eastern time on February 5, 2026.",
        ],
        "9.01": ["(d) Exhibits. 99.1 Press release dated February 5, 2026. 104 Cover page interactive data file."],
    },
    ("Anselm Treadgold", "Chief Financial Officer"),
    Document("EX-99.1", "hlrn-20251231xex991.htm", "EX-99.1", _RELEASE),
    event="February 5, 2026",
)

FILINGS = (EARNINGS,)
