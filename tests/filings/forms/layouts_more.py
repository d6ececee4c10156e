"""More invented earnings releases, laid out as in `layouts`."""

from __future__ import annotations

from tests.filings.forms.layouts import Figures, Style, page, tab

STYLES: list[Style] = []


def add(name: str, body: bytes, **said: Figures) -> None:
    STYLES.append(Style(name, body, said))


add(
    "space columns txt",
    b"""PRESS RELEASE
Granite Transport Lines, Inc. Announces Third Quarter Earnings

(In thousands except per share data)

                                         Quarter ended            Nine months ended
                                          September 30               September 30
                                       2002        2001          2002         2001

Operating revenues                  $ 64,201    $ 59,876      $188,340     $176,009
Operating income                       5,310       4,118        14,022       11,900
Net income                             2,905       2,011         7,350        5,881

Net income per share:
  Basic                             $    .44    $    .31      $   1.12     $    .90
  Diluted                                .43         .30          1.09          .88
""",
    cur=dict(revenue=64201000, operating_income=5310000, net_income=2905000, eps_basic=".44", eps_diluted=".43"),
    prior=dict(revenue=59876000, operating_income=4118000, net_income=2011000, eps_basic=".31", eps_diluted=".30"),
)
add(
    "split cells",
    page(
        "<p>Ridge Medical Devices Reports First Quarter 2025 Results</p><p>(in thousands, except per share "
        "amounts)</p>",
        tab(
            ("", "Three Months Ended", "", "", "", "", ""),
            ("", "March 31,", "", "", "March 31,", "", ""),
            ("", "2025", "", "", "2024", "", ""),
            ("Revenue", "$", "23,410", "", "$", "20,880", ""),
            ("Operating loss", "", "(1,922", ")", "", "(3,050", ")"),
            ("Net loss", "$", "(1,710", ")", "$", "(2,944", ")"),
            ("Net loss per share, basic and diluted", "$", "(0.05", ")", "$", "(0.09", ")"),
        ),
    ),
    cur=dict(revenue=23410000, operating_income=-1922000, net_income=-1710000, eps_basic="-0.05", eps_diluted="-0.05"),
    prior=dict(
        revenue=20880000, operating_income=-3050000, net_income=-2944000, eps_basic="-0.09", eps_diluted="-0.09"
    ),
)
add(
    "utility",
    page(
        "<p>Prairie Power Reports Second-Quarter 2025 Earnings</p>",
        tab(
            ("", "Three Months Ended June 30,", "", "Six Months Ended June 30,", ""),
            ("(In millions, except per share amounts)", "2025", "2024", "2025", "2024"),
            ("Operating revenues", "$ 812", "$ 790", "$ 1,702", "$ 1,655"),
            ("Operating income", "140", "128", "310", "290"),
            ("Net income available for common stockholders", "$ 84", "$ 75", "$ 190", "$ 171"),
            ("Earnings per average common share:", "", "", "", ""),
            ("Basic", "$ 0.91", "$ 0.83", "$ 2.06", "$ 1.89"),
            ("Diluted", "$ 0.90", "$ 0.82", "$ 2.05", "$ 1.88"),
        ),
    ),
    cur=dict(revenue=812000000, operating_income=140000000, net_income=84000000, eps_basic="0.91", eps_diluted="0.90"),
    prior=dict(
        revenue=790000000, operating_income=128000000, net_income=75000000, eps_basic="0.83", eps_diluted="0.82"
    ),
)
add(
    "saas with recon",
    page(
        "<p>Loft Cloud Announces Fourth Quarter and Fiscal Year 2025 Results</p><p>Total revenue was $120.5 "
        "million for the quarter ended January 31, 2025, up 28% year-over-year.</p>",
        tab(
            ("", "Three Months Ended January 31,", "", "Year Ended January 31,", ""),
            ("(in thousands, except per share data)", "2025", "2024", "2025", "2024"),
            ("Revenue:", "", "", "", ""),
            ("Subscription", "$ 112,000", "$ 86,000", "$ 420,000", "$ 320,000"),
            ("Professional services", "8,500", "8,100", "33,000", "30,000"),
            ("Total revenue", "120,500", "94,100", "453,000", "350,000"),
            ("Loss from operations", "(4,000)", "(15,000)", "(30,000)", "(70,000)"),
            ("Net loss", "$ (1,000)", "$ (12,400)", "$ (20,000)", "$ (60,000)"),
            ("Net loss per share, basic and diluted", "$ (0.01)", "$ (0.11)", "$ (0.18)", "$ (0.55)"),
        ),
        "<p>Reconciliation of GAAP to Non-GAAP (in thousands, except per share data)</p>",
        tab(
            ("", "Three Months Ended January 31,", "", "Year Ended January 31,", ""),
            ("", "2025", "2024", "2025", "2024"),
            ("GAAP net loss", "$ (1,000)", "$ (12,400)", "$ (20,000)", "$ (60,000)"),
            ("Stock-based compensation", "18,000", "17,000", "70,000", "64,000"),
            ("Non-GAAP net income", "$ 17,000", "$ 4,600", "$ 50,000", "$ 4,000"),
            ("Non-GAAP net income per share, diluted", "$ 0.14", "$ 0.04", "$ 0.42", "$ 0.03"),
        ),
        "<p>Financial Outlook</p><p>First Quarter Fiscal 2026: Total revenue between $122.0 million and $124.0 "
        "million; non-GAAP net income per share between $0.10 and $0.12.</p>",
    ),
    cur=dict(
        revenue=120500000,
        operating_income=-4000000,
        net_income=-1000000,
        eps_basic="-0.01",
        eps_diluted="-0.01",
        net_income_adjusted=17000000,
        eps_adjusted="0.14",
    ),
    prior=dict(
        revenue=94100000,
        operating_income=-15000000,
        net_income=-12400000,
        eps_basic="-0.11",
        eps_diluted="-0.11",
        net_income_adjusted=4600000,
        eps_adjusted="0.04",
    ),
    guidance=dict(
        guidance_revenue_low=122000000,
        guidance_revenue_high=124000000,
        guidance_eps_adjusted_low="0.10",
        guidance_eps_adjusted_high="0.12",
    ),
)
add(
    "year only company",
    page(
        "<p>Delta Tool Works Reports Fiscal Year 2025 Results</p>",
        tab(
            ("", "Year Ended December 31,", ""),
            ("(in thousands, except per share)", "2025", "2024"),
            ("Net sales", "$ 310,200", "$ 297,700"),
            ("Operating profit", "33,000", "29,100"),
            ("Net earnings", "$ 22,100", "$ 19,600"),
            ("Diluted earnings per share", "$ 1.77", "$ 1.52"),
        ),
    ),
    cur=dict(revenue=310200000, operating_income=33000000, net_income=22100000, eps_diluted="1.77"),
    prior=dict(revenue=297700000, operating_income=29100000, net_income=19600000, eps_diluted="1.52"),
)
add(
    "canadian",
    page(
        "<p>Northern Spruce Lumber announces third quarter 2025 results</p><p>(All amounts in Canadian dollars)</p>",
        tab(
            ("(C$ millions, except per share)", "Q3-2025", "Q2-2025", "Q3-2024"),
            ("Sales", "640.2", "655.1", "601.4"),
            ("Adjusted EBITDA", "71.0", "80.2", "44.4"),
            ("Net earnings", "30.3", "35.5", "11.9"),
            ("Net earnings per share - diluted", "0.52", "0.60", "0.20"),
        ),
    ),
    cur=dict(revenue=640200000, ebitda_adjusted=71000000, net_income=30300000, eps_diluted="0.52"),
    prior=dict(revenue=601400000, ebitda_adjusted=44400000, net_income=11900000, eps_diluted="0.20"),
)
add(
    "percent columns",
    page(
        "<p>Bright Foods Q1 2025 results</p>",
        tab(
            ("Unaudited (in millions, except per share)", "Q1 2025", "% of sales", "Q1 2024", "% of sales"),
            ("Net sales", "$ 701.0", "100.0%", "$ 688.5", "100.0%"),
            ("Operating income", "77.1", "11.0%", "70.2", "10.2%"),
            ("Net income", "$ 50.5", "7.2%", "$ 45.4", "6.6%"),
            ("Diluted EPS", "$ 1.01", "", "$ 0.90", ""),
        ),
    ),
    cur=dict(revenue=701000000, operating_income=77100000, net_income=50500000, eps_diluted="1.01"),
    prior=dict(revenue=688500000, operating_income=70200000, net_income=45400000, eps_diluted="0.90"),
)
add(
    "guidance prose styles",
    page(
        "<p>Aspen Controls Reports Second Quarter Results</p><p>Second quarter net sales were $455.0 "
        "million.</p><p>Full Year Guidance</p><p>The Company now expects full year net sales in the range of "
        "$1.82 billion to $1.86 billion and adjusted earnings per share in the range of $6.20 to $6.50, compared "
        "to its prior outlook of $6.00 to $6.40. GAAP earnings per share are expected to be approximately "
        "$5.75.</p>"
    ),
    cur=dict(revenue=455000000),
    prior={},
    guidance=dict(
        guidance_revenue_low=1820000000,
        guidance_revenue_high=1860000000,
        guidance_eps_adjusted_low="6.20",
        guidance_eps_adjusted_high="6.50",
        guidance_eps_low="5.75",
        guidance_eps_high="5.75",
    ),
)
add(
    "guidance prior current",
    page(
        "<p>Clearwater Paper Q3 2025 Results</p><p>2025 Outlook</p>",
        tab(
            ("", "Prior Guidance", "Current Guidance"),
            ("Revenue", "$2.10 - $2.20 billion", "$2.15 - $2.20 billion"),
            ("Adjusted EPS", "$3.00 - $3.30", "$3.20 - $3.35"),
        ),
    ),
    cur={},
    prior={},
    guidance=dict(
        guidance_revenue_low=2150000000,
        guidance_revenue_high=2200000000,
        guidance_eps_adjusted_low="3.20",
        guidance_eps_adjusted_high="3.35",
    ),
)
add(
    "insurance",
    page(
        "<p>Summit Casualty Group Reports First Quarter 2025 Results</p><p>($ in millions, except per share data)</p>",
        tab(
            ("", "Quarter Ended March 31,", ""),
            ("", "2025", "2024"),
            ("Net premiums written", "$ 401.0", "$ 377.0"),
            ("Total revenues", "$ 420.6", "$ 395.1"),
            ("Net income", "$ 51.2", "$ 47.7"),
            ("Net income per diluted share", "$ 1.31", "$ 1.20"),
            ("Operating income per diluted share", "$ 1.25", "$ 1.18"),
            ("Book value per share", "$ 28.10", "$ 25.50"),
        ),
    ),
    cur=dict(revenue=420600000, net_income=51200000, eps_diluted="1.31"),
    prior=dict(revenue=395100000, net_income=47700000, eps_diluted="1.20"),
)
