"""Earnings releases of our own making, in the shapes that filers use."""

from __future__ import annotations


def table(*rows: tuple[str, ...]) -> str:
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def page(*parts: str) -> bytes:
    return (
        "<html><body>" + "".join(part if part[:1] == "<" else f"<p>{part}</p>" for part in parts) + "</body></html>"
    ).encode()


QUARTERLY = page(
    "Ormolu Foundry Reports Third Quarter 2025 Results",
    "LEEDS, Ala., October 28, 2025 - Ormolu Foundry Corp. today announced results for the third quarter of 2025.",
    "The Board declared a quarterly cash dividend of $0.17 per share, payable on December 1, 2025.",
    "Outlook",
    "For the fourth quarter, Ormolu expects revenue between $410 and $420 million and adjusted earnings per share of "
    "$1.10 to $1.20. Capital expenditures are expected to be $20 million to $25 million.",
    "CONDENSED CONSOLIDATED STATEMENTS OF OPERATIONS",
    "(in thousands, except per share data) (unaudited)",
    table(
        ("", "Three Months Ended", "Nine Months Ended"),
        ("", "September 30,", "September 30,"),
        ("", "2025", "2024", "2025", "2024"),
        ("Product sales", "$", "300,100", "$", "280,000", "$", "880,000", "$", "830,000"),
        ("Service sales", "99,900", "88,000", "290,000", "250,000"),
        ("Total net sales", "400,000", "368,000", "1,170,000", "1,080,000"),
        ("Cost of sales", "250,000", "230,000", "720,000", "680,000"),
        ("(Loss) income from operations", "(5,250", ")", "31,000", "60,000", "95,000"),
        ("Net (loss) income", "(8,100", ")", "22,400", "41,000", "70,000"),
        ("Net income attributable to noncontrolling interests", "200", "100", "500", "400"),
        ("Net (loss) income attributable to Ormolu Foundry", "$", "(8,300", ")", "$", "22,300", "40,500", "69,600"),
        ("Net (loss) income per share:",),
        ("Basic", "$", "(0.21", ")", "$", "0.56", "$", "1.02", "$", "1.74"),
        ("Diluted(1)", "$", "(0.21", ")", "$", "0.55", "$", "1.01", "$", "1.71"),
        ("Weighted average shares:",),
        ("Basic", "39,700", "39,800", "39,750", "39,900"),
        ("Diluted", "39,700", "40,500", "40,100", "40,700"),
    ),
    "CONDENSED CONSOLIDATED BALANCE SHEETS (in thousands)",
    table(
        ("", "September 30, 2025", "December 31, 2024"),
        ("Cash and cash equivalents", "$", "120,500", "$", "98,700"),
        ("Restricted cash", "1,000", "900"),
        ("Total assets", "1,900,000", "1,850,000"),
    ),
    "RECONCILIATION OF GAAP TO NON-GAAP MEASURES (in thousands)",
    table(
        ("", "Three Months Ended September 30,"),
        ("", "2025", "2024"),
        ("Net (loss) income", "$", "(8,100", ")", "$", "22,400"),
        ("Depreciation", "30,000", "28,000"),
        ("EBITDA", "21,900", "50,400"),
        ("Restructuring", "12,000", "-"),
        ("Adjusted EBITDA", "$", "33,900", "$", "50,400"),
    ),
)  # fmt: skip

SUMMARY = page(
    "Pelter Networks Announces Fourth Quarter and Fiscal Year 2025 Results",
    "Q4 Fiscal 2025 Summary",
    "GAAP",
    table(
        ("($ in millions, except earnings per share)", "Q4 FY25", "Q3 FY25", "Q4 FY24", "Q/Q", "Y/Y"),
        ("Revenue", "$812", "$790", "$701", "3%", "16%"),
        ("Operating income", "$120", "$111", "$88", "8%", "36%"),
        ("Net income", "$101", "$92", "$70", "10%", "44%"),
        ("Diluted earnings per share", "$1.01", "$0.92", "$0.70", "10%", "44%"),
    ),
    "Non-GAAP",
    table(
        ("($ in millions, except earnings per share)", "Q4 FY25", "Q3 FY25", "Q4 FY24", "Q/Q", "Y/Y"),
        ("Net income", "$115", "$104", "$81", "11%", "42%"),
        ("Diluted earnings per share", "$1.15", "$1.04", "$0.81", "11%", "42%"),
    ),
    "Revenue for the first quarter of fiscal 2026 is expected to be $800 million, plus or minus 2%.",
)

GROUPED = page(
    "Tamarack Instruments Reports Second Quarter 2025 Results",
    table(
        ("", "GAAP", "Non-GAAP"),
        ("(Dollars in millions, except per share data)", "Q2 25", "Q2 24", "Change", "Q2 25", "Q2 24", "Change"),
        ("Net revenue", "$500", "$450", "+11%", "$500", "$450", "+11%"),
        ("Net income", "$40", "$35", "+14%", "$55", "$48", "+15%"),
        ("Earnings per share - diluted", "$0.40", "$0.35", "+14%", "$0.55", "$0.48", "+15%"),
    ),
)

TYPED = b"""Exhibit 99.1

                 FENWRIGHT MILLS REPORTS FIRST QUARTER RESULTS

     DERBY, Conn., April 22 -- Fenwright Mills Inc. today reported results for
its first quarter ended March 31, 2005. We expect revenues in the second
quarter to be in the range of $19.5 million to $20.5 million.

                          Fenwright Mills Inc.
                  Consolidated Statements of Operations
                   (In thousands, except per share data)

                                    Three Months Ended
                                Mar 31,   Dec 31,   Mar 31,
                                 2005      2004      2004

    Net revenues                $19,433   $19,217   $18,466
    Cost of revenues             12,262    13,219    12,275
    Loss from operations           (599)   (1,194)   (1,537)
    Net income (loss)           $   134   $  (303)  $   (96)
    Diluted earnings (loss) per
     share                      $  0.01   $ (0.01)  $ (0.00)
    Shares used in computing
     diluted earnings per share  27,112    26,554    26,166
"""

TOLD = page(
    "Larkham Stores Reports Record Second Quarter",
    "Second quarter revenue of $1.2 billion, up 12%, and net loss of $4.5 million, or $(0.12) per diluted share.",
    "Online revenue was $300 million. Revenue in the first half was $2.3 billion.",
    "The Board approved a quarterly dividend of $0.05 per share. A dividend of $12.50 per preferred share was paid.",
)

SEGMENTS = page(
    "Brede & Co. Reports Third Quarter 2025 Results (in millions)",
    "Three Months Ended September 30, 2025",
    table(
        ("", "North", "South", "Other"),
        ("Total revenue", "100", "90", "10"),
        ("Net income", "10", "9", "1"),
    ),
    table(
        ("", "2025", "2024"),
        ("Net income", "20", "18"),
    ),
)

PLAIN_DOLLARS = page(
    "Gannet Optics Inc. Statement of Operations Data (Unaudited)",
    table(
        ("", "Three Months Ended", "Year Ended"),
        ("", "2025", "2024", "2025", "2024"),
        ("Net sales", "$", "48,498,000", "$", "53,092,000", "$", "185,829,000", "$", "196,494,000"),
        ("Operating income", "395,000", "4,644,000", "8,922,000", "11,081,000"),
        ("Per share information:",),
        ("Net loss - basic and diluted", "$", "(0.06", ")", "$", "(0.08", ")", "$", "(0.55", ")", "$", "(0.04", ")"),
    ),
    "2026 Financial Outlook",
    table(
        ("(in millions, except per share data)", "Current Update", "January 2026"),
        ("Net sales", "$190 - $200", "$180 - $190"),
        ("Diluted earnings per share", "$0.80 - $0.90", "$0.70 - $0.80"),
    ),
)
