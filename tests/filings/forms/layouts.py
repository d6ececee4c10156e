"""Invented earnings releases of many layouts: statements, highlights, outlooks. `layouts_more` has the rest."""

from __future__ import annotations

from dataclasses import dataclass

Figures = dict[str, float | str]


@dataclass(frozen=True)
class Style:
    """A release and what it says, by scope."""

    name: str
    body: bytes
    said: dict[str, Figures]


STYLES: list[Style] = []


def add(name: str, body: bytes, **said: Figures) -> None:
    STYLES.append(Style(name, body, said))


def tab(*rows: tuple[str, ...]) -> str:
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def page(*parts: str) -> bytes:
    return f"<html><body>{''.join(parts)}</body></html>".encode()


add(
    "dotted leaders",
    b"""EXHIBIT 99.1
HOLLY STEEL REPORTS SECOND QUARTER RESULTS
PITTSBURGH, July 24, 2008 -- Holly Steel Corp. today reported net income of $4.6 million, or $.38 per diluted share, for
the second quarter ended June 30, 2008.

                          HOLLY STEEL CORP.
               CONSOLIDATED STATEMENTS OF INCOME (Unaudited)
               (In thousands, except per share amounts)

                                   Three Months Ended     Six Months Ended
                                        June 30,              June 30,
                                    2008       2007       2008       2007
                                  --------   --------   --------   --------
Net sales ....................... $ 88,120   $ 79,450   $171,300   $150,020
Cost of sales ...................   70,000     64,100    137,000    121,000
Operating income ................    7,410      6,020     13,900     11,100
Net income ...................... $  4,612   $  3,702   $  8,540   $  6,790
                                  ========   ========   ========   ========
Earnings per share:
   Basic ........................ $    .39   $    .31   $    .72   $    .57
   Diluted ...................... $    .38   $    .30   $    .70   $    .56
""",
    cur=dict(revenue=88120000, operating_income=7410000, net_income=4612000, eps_basic=".39", eps_diluted=".38"),
    prior=dict(revenue=79450000, operating_income=6020000, net_income=3702000, eps_basic=".31", eps_diluted=".30"),
)
add(
    "fiscal labels",
    page(
        "<p>Nimbus Data Reports Second Quarter Fiscal 2026 Results</p><p>Nimbus Data, Inc. today reported "
        "financial results for its second quarter of fiscal 2026, ended October 31, 2025.</p>",
        tab(
            ("(in millions, except per share amounts)", "Q2 FY26", "Q1 FY26", "Q2 FY25", "Y/Y"),
            ("Revenue", "$412.3", "$398.0", "$350.1", "18%"),
            ("GAAP operating income", "$22.0", "$18.4", "$9.7", "127%"),
            ("GAAP net income", "$19.5", "$15.0", "$7.2", "171%"),
            ("GAAP diluted EPS", "$0.31", "$0.24", "$0.12", "158%"),
            ("Non-GAAP net income", "$58.2", "$52.1", "$41.0", "42%"),
            ("Non-GAAP diluted EPS", "$0.92", "$0.83", "$0.67", "37%"),
        ),
    ),
    cur=dict(
        revenue=412300000,
        operating_income=22000000,
        net_income=19500000,
        eps_diluted="0.31",
        net_income_adjusted=58200000,
        eps_adjusted="0.92",
    ),
    prior=dict(
        revenue=350100000,
        operating_income=9700000,
        net_income=7200000,
        eps_diluted="0.12",
        net_income_adjusted=41000000,
        eps_adjusted="0.67",
    ),
)
add(
    "bank five quarters",
    page(
        "<p>Harbor Bancshares Announces Second Quarter 2025 Earnings</p><p>Harbor Bancshares reported net income "
        "of $11.2 million, or $0.88 per diluted share, for the quarter ended June 30, 2025.</p>",
        tab(
            ("(Dollars in thousands, except per share data)", "Three Months Ended"),
            ("", "June 30, 2025", "March 31, 2025", "December 31, 2024", "September 30, 2024", "June 30, 2024"),
            ("Total interest income", "$48,100", "$46,900", "$47,500", "$47,100", "$45,200"),
            ("Net income", "$11,230", "$10,870", "$9,950", "$10,400", "$9,760"),
            ("Earnings per share, basic", "$0.89", "$0.86", "$0.79", "$0.82", "$0.77"),
            ("Earnings per share, diluted", "$0.88", "$0.85", "$0.78", "$0.81", "$0.76"),
            ("Dividends declared per share", "$0.25", "$0.25", "$0.24", "$0.24", "$0.24"),
        ),
    ),
    cur=dict(net_income=11230000, eps_basic="0.89", eps_diluted="0.88", dividend_per_share="0.25"),
    prior=dict(net_income=9760000, eps_basic="0.77", eps_diluted="0.76", dividend_per_share="0.24"),
)
add(
    "biotech",
    page(
        "<p>Lumen Therapeutics Reports Third Quarter 2025 Financial Results and Business Update</p><p>Cash "
        "Position: Cash and cash equivalents were $212.4 million as of September 30, 2025.</p><p>Net Loss: Net "
        "loss for the third quarter of 2025 was $31.8 million, or $0.52 per share.</p>",
        tab(
            ("", "Three Months Ended September 30,", "", "Nine Months Ended September 30,", ""),
            ("", "2025", "2024", "2025", "2024"),
            ("Collaboration revenue", "$2,100", "$1,900", "$6,000", "$5,500"),
            ("Operating expenses:", "", "", "", ""),
            ("Research and development", "28,000", "25,000", "80,000", "70,000"),
            ("Loss from operations", "(33,900)", "(29,400)", "(98,000)", "(84,000)"),
            ("Net loss", "$(31,800)", "$(27,600)", "$(92,000)", "$(79,000)"),
            ("Net loss per share, basic and diluted", "$(0.52)", "$(0.48)", "$(1.51)", "$(1.40)"),
        ),
        "<p>(in thousands, except share and per share data)</p>".replace("<p>", "<p>"),
    ),
    cur=dict(eps_basic="-0.52", eps_diluted="-0.52", cash=212400000),
    prior=dict(eps_basic="-0.48", eps_diluted="-0.48"),
)
add(
    "euro",
    page(
        "<p>Rheinwerk AG: Third quarter 2025 results</p>",
        tab(
            ("in € millions", "Q3 2025", "Q3 2024", "Change"),
            ("Revenue", "1,204", "1,150", "4.7%"),
            ("Operating profit", "143", "120", "19%"),
            ("Profit for the period", "98", "81", "21%"),
            ("Diluted earnings per share (in €)", "1.42", "1.17", "21%"),
        ),
    ),
    cur=dict(revenue=1204000000, operating_income=143000000, net_income=98000000, eps_diluted="1.42"),
    prior=dict(revenue=1150000000, operating_income=120000000, net_income=81000000, eps_diluted="1.17"),
)
add(
    "reit",
    page(
        "<p>Cedar Lane Realty Trust Reports First Quarter 2025 Results</p>",
        tab(
            ("", "For the Three Months Ended March 31,", ""),
            ("(in thousands, except per share amounts)", "2025", "2024"),
            ("Rental revenue", "$61,000", "$57,000"),
            ("Other revenue", "1,400", "1,100"),
            ("Total revenues", "62,400", "58,100"),
            ("Net income", "14,900", "12,300"),
            ("Net income attributable to noncontrolling interests", "(400)", "(300)"),
            ("Net income attributable to common stockholders", "$14,500", "$12,000"),
            ("Net income per common share - basic and diluted", "$0.21", "$0.18"),
            ("FFO per share", "$0.55", "$0.50"),
        ),
    ),
    cur=dict(revenue=62400000, eps_basic="0.21", eps_diluted="0.21"),
    prior=dict(revenue=58100000, eps_basic="0.18", eps_diluted="0.18"),
)
add(
    "retail weeks",
    page(
        "<p>Maple Stores, Inc. Reports Second Quarter Results</p>",
        tab(
            ("", "13 Weeks Ended", "", "26 Weeks Ended", ""),
            ("", "August 2, 2025", "August 3, 2024", "August 2, 2025", "August 3, 2024"),
            ("Net sales", "$ 512,400", "$ 498,100", "$ 990,000", "$ 970,300"),
            ("Operating income", "31,000", "28,200", "55,000", "51,000"),
            ("Net income", "$ 22,800", "$ 20,500", "$ 40,100", "$ 37,000"),
            ("Diluted earnings per share", "$ 0.71", "$ 0.62", "$ 1.25", "$ 1.12"),
        ).replace("<tr>", "<tr><td>(in thousands, except per share)</td></tr><tr>", 1),
    ),
    cur=dict(revenue=512400000, operating_income=31000000, net_income=22800000, eps_diluted="0.71"),
    prior=dict(revenue=498100000, operating_income=28200000, net_income=20500000, eps_diluted="0.62"),
)
add(
    "prior first",
    page(
        "<p>Orchard Software reports results for the quarter ended September 30, 2025</p><p>(Unaudited, in "
        "thousands, except per share data)</p>",
        tab(
            ("", "Three Months Ended September 30,", ""),
            ("", "2024", "2025"),
            ("Total revenue", "$40,100", "$46,700"),
            ("Loss from operations", "(3,000)", "(1,200)"),
            ("Net loss", "$(2,800)", "$(900)"),
            ("Net loss per share, basic and diluted", "$(0.07)", "$(0.02)"),
        ),
    ),
    cur=dict(revenue=46700000, operating_income=-1200000, net_income=-900000, eps_basic="-0.02", eps_diluted="-0.02"),
    prior=dict(
        revenue=40100000, operating_income=-3000000, net_income=-2800000, eps_basic="-0.07", eps_diluted="-0.07"
    ),
)
add(
    "guidance bullets",
    page(
        "<p>Pike Industrial Reports Fourth Quarter and Full Year 2025 Results</p><p>Fourth quarter revenue was "
        "$1.05 billion, up 6%. GAAP diluted EPS was $1.21 and adjusted diluted EPS was $1.40.</p><p>2026 "
        "Outlook</p><p>For the full year 2026, the Company expects:</p><ul><li>Revenue of $4.1 billion to $4.3 "
        "billion</li><li>GAAP diluted EPS of $4.60 to $4.90</li><li>Adjusted diluted EPS of $5.10 to "
        "$5.40</li></ul>"
    ),
    cur=dict(revenue=1050000000, eps_diluted="1.21", eps_adjusted="1.40"),
    prior={},
    guidance=dict(
        guidance_revenue_low=4100000000,
        guidance_revenue_high=4300000000,
        guidance_eps_low="4.60",
        guidance_eps_high="4.90",
        guidance_eps_adjusted_low="5.10",
        guidance_eps_adjusted_high="5.40",
    ),
)
add(
    "guidance table",
    page(
        "<p>Sable Networks Announces First Quarter 2026 Results</p><p>Revenue for the first quarter of 2026 was "
        "$88.0 million.</p><p>Second Quarter 2026 Guidance</p>",
        tab(
            ("", "Low", "High"),
            ("Revenue (in millions)", "$90.0", "$94.0"),
            ("GAAP net loss per share", "$(0.10)", "$(0.06)"),
            ("Non-GAAP net income per share", "$0.08", "$0.12"),
        ),
    ),
    cur=dict(revenue=88000000),
    prior={},
    guidance=dict(
        guidance_revenue_low=90000000,
        guidance_revenue_high=94000000,
        guidance_eps_adjusted_low="0.08",
        guidance_eps_adjusted_high="0.12",
        guidance_eps_low="-0.10",
        guidance_eps_high="-0.06",
    ),
)
add(
    "highlights table",
    page(
        "<p>Teal Semiconductor Reports Q3 2025</p>",
        tab(
            ("Financial Highlights ($ in millions, except EPS)", "3Q 2025", "3Q 2024"),
            ("Net revenue", "$ 250.4", "$ 231.7"),
            ("Operating income", "40.2", "33.3"),
            ("Adjusted EBITDA", "61.0", "52.9"),
            ("Diluted EPS", "$ 0.77", "$ 0.61"),
            ("Adjusted diluted EPS", "$ 0.95", "$ 0.80"),
        ),
    ),
    cur=dict(
        revenue=250400000, operating_income=40200000, ebitda_adjusted=61000000, eps_diluted="0.77", eps_adjusted="0.95"
    ),
    prior=dict(
        revenue=231700000, operating_income=33300000, ebitda_adjusted=52900000, eps_diluted="0.61", eps_adjusted="0.80"
    ),
)
add(
    "whole dollars",
    page(
        "<p>Small Town Foods, Inc. announces results for the three months ended May 31, 2025</p>",
        tab(
            ("", "Three months ended May 31,", ""),
            ("", "2025", "2024"),
            ("Sales", "$ 3,412,887", "$ 3,100,112"),
            ("Income from operations", "210,400", "180,050"),
            ("Net income", "$ 151,332", "$ 130,998"),
            ("Basic earnings per share", "$ 0.05", "$ 0.04"),
            ("Diluted earnings per share", "$ 0.05", "$ 0.04"),
        ),
    ),
    cur=dict(revenue=3412887, operating_income=210400, net_income=151332, eps_basic="0.05", eps_diluted="0.05"),
    prior=dict(revenue=3100112, operating_income=180050, net_income=130998, eps_basic="0.04", eps_diluted="0.04"),
)
add(
    "txt two blocks",
    b"""                 VANTAGE OIL, INC.
            CONSOLIDATED RESULTS OF OPERATIONS
          For the quarters ended March 31 (unaudited)
          (thousands of dollars, except per share)

                               1999             1998
Revenues                     $52,340          $61,208
Operating profit (loss)        1,203           (2,411)
Net earnings (loss)          $   640          $(3,007)
Earnings (loss) per share
  Basic                      $   .03          $  (.14)
  Diluted                    $   .03          $  (.14)
""",
    cur=dict(revenue=52340000, operating_income=1203000, net_income=640000, eps_basic=".03", eps_diluted=".03"),
    prior=dict(revenue=61208000, operating_income=-2411000, net_income=-3007000, eps_basic="-.14", eps_diluted="-.14"),
)
add(
    "prose only",
    page(
        "<p>Quartz Mining Corp. Announces Second Quarter Results</p><p>DENVER, Aug. 5, 2025 - Quartz Mining Corp. "
        "today reported results for the second quarter ended June 30, 2025. Revenue totaled $73.2 million "
        "compared with $65.0 million a year earlier. Net income was $8.4 million, or $0.33 per diluted share, "
        "compared with $5.1 million, or $0.20 per diluted share, in the second quarter of 2024. Adjusted EBITDA "
        "was $19.9 million. The Board declared a quarterly dividend of $0.04 per share.</p>"
    ),
    cur=dict(
        revenue=73200000, net_income=8400000, eps_diluted="0.33", ebitda_adjusted=19900000, dividend_per_share="0.04"
    ),
    prior={},
)
add(
    "stacked years",
    page(
        "<p>Ivy Medical Third Quarter 2025 Results</p>",
        tab(
            ("($ in thousands, except per share data)", "Quarter Ended", "", "% Change"),
            ("", "September 30, 2025", "September 30, 2024", ""),
            ("Net Sales", "$101,000", "$93,500", "8.0%"),
            ("Operating Income", "12,300", "10,100", "21.8%"),
            ("Net Income Attributable to Ivy Medical", "$9,100", "$7,400", "23.0%"),
            ("Diluted Earnings per Common Share", "$0.44", "$0.36", "22.2%"),
        ),
    ),
    cur=dict(revenue=101000000, operating_income=12300000, net_income=9100000, eps_diluted="0.44"),
    prior=dict(revenue=93500000, operating_income=10100000, net_income=7400000, eps_diluted="0.36"),
)
