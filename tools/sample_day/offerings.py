"""Offerings: a priced follow-on (424B5), a first registration (S-1), a free writing prospectus, a notice of effect."""

from __future__ import annotations

from .model import Document, Filing, Party, b, c, p, page, table
from .people import LUMIVAULT, QUILLHAVEN, TINDREL


def _filing(form: str, at: str, number: str, company: Party, filename: str, *blocks: str) -> Filing:
    document = Document(form, filename, form, page(form, *blocks))
    return Filing(form, at, number, (("Filer", company),), (document,))


PRICED = _filing(
    "424B5",
    "06:00:14",
    "0009990017-26-000105",
    TINDREL,
    "tndl-424b5.htm",
    p("Filed pursuant to Rule 424(b)(5)<br/>Registration No. 333-990033"),
    c("PROSPECTUS SUPPLEMENT<br/>(To Prospectus dated June 3, 2025)"),
    c("18,750,000 Shares of Common Stock"),
    c("Tindrel Therapeutics, Inc."),
    p(
        "We are offering 18,750,000 shares of our common stock. Our common stock is listed on Nasdaq under the symbol "
        "&#8220;TNDL&#8221;. On February 3, 2026, the last reported sale price was $4.46 per share."
    ),
    table(
        ("", "Per share", "Total"),
        ("Public offering price", "$ 4.00", "$ 75,000,000"),
        ("Underwriting discounts and commissions", "$ 0.24", "$ 4,500,000"),
        ("Proceeds to us, before expenses", "$ 3.76", "$ 70,500,000"),
    ),
    p("We have granted the underwriters a 30-day option to purchase up to 2,812,500 additional shares."),
    b("Use of proceeds"),
    p(
        "We estimate net proceeds of approximately $69.9 million, which we intend to use for the Phase 3 trial of "
        "TND-204 and for working capital."
    ),
    b("The offering"),
    p("Common stock outstanding before this offering: 61,408,220 shares. After this offering: 80,158,220 shares."),
    b("Dilution"),
    p("You will experience immediate dilution of $2.11 per share in net tangible book value."),
)

REGISTRATION = _filing(
    "S-1",
    "06:03:55",
    "0009990017-26-000113",
    QUILLHAVEN,
    "quillhaven-s1.htm",
    p("As filed with the Securities and Exchange Commission on February 5, 2026. Registration No. 333-990088"),
    c("FORM S-1<br/>REGISTRATION STATEMENT UNDER THE SECURITIES ACT OF 1933"),
    c("Quillhaven Software, Inc."),
    p(
        "This is the initial public offering of shares of common stock of Quillhaven Software, Inc. We are offering "
        "12,000,000 shares. We anticipate that the initial public offering price will be between $15.00 and $17.00 per "
        "share. We have applied to list our common stock on Nasdaq under the symbol &#8220;QLHV&#8221;."
    ),
    b("Summary financial data (in thousands)"),
    table(
        ("", "2025", "2024"),
        ("Revenue", "$ 118,240", "$ 79,655"),
        ("Net loss", "(24,318)", "(31,902)"),
        ("Cash and cash equivalents", "46,107", "58,330"),
    ),
    b("Use of proceeds"),
    p("We intend to repay $30.0 million of debt and to use the remainder for general corporate purposes."),
    b("Risk factors"),
    p("We have a history of losses. Our three largest customers accounted for 38% of 2025 revenue."),
)

WRITING = _filing(
    "FWP",
    "06:04:50",
    "0009990017-26-000116",
    LUMIVAULT,
    "lmvt-fwp.htm",
    p("Filed pursuant to Rule 433<br/>Registration Statement No. 333-990165"),
    c("Lumivault Energy, Inc.<br/>Pricing Term Sheet<br/>6.75% Convertible Senior Notes due 2031"),
    table(
        ("Principal amount", "$ 85,000,000"),
        ("Coupon", "6.75% a year, payable semiannually"),
        ("Initial conversion price", "Approximately $2.18 per share"),
        ("Issue price", "100%"),
    ),
)

EFFECTIVE = Filing(
    "EFFECT",
    "06:09:40",
    "9999999995-26-000031",
    (("Filer", TINDREL),),
    (
        Document(
            "EFFECT",
            "primary_doc.xml",
            "",
            '<?xml version="1.0"?>\n<edgarSubmission><schemaVersion>X0101</schemaVersion><submissionType>EFFECT'
            "</submissionType><act>33</act><effectiveData><finalEffectivenessDispDate>2026-02-04"
            "</finalEffectivenessDispDate><form>S-3</form><filer><cik>"
            f"{TINDREL.cik}</cik><entityName>{TINDREL.name}</entityName><fileNumber>333-990034</fileNumber></filer>"
            "</effectiveData></edgarSubmission>",
            "XML",
        ),
    ),
)

FILINGS = (PRICED, REGISTRATION, WRITING, EFFECTIVE)
