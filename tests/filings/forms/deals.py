"""Press releases and items about offerings, of our own making, each with the terms a reader would note."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Deal:
    """A text and what it says; `values` are numbers by name, `words` terms, `absent` names that must "
    "not be told."""

    name: str
    text: str
    values: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    banks: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


DEALS = (
    Deal(
        "priced",
        """Larkspur Therapeutics Announces Pricing of $60 Million Underwritten Public Offering of Common Stock
BOSTON, May 6, 2025 -- Larkspur Therapeutics, Inc. (Nasdaq: LRKS) today announced the pricing of an \
underwritten public offering of 8,000,000 shares of its common stock at a public offering price of $7.50 per share.
The gross proceeds to Larkspur from the offering, before deducting underwriting discounts and commissions and \
other offering expenses, are expected to be $60.0 million.
In addition, Larkspur has granted the underwriters a 30-day option to purchase up to an additional 1,200,000 \
shares of common stock at the public offering price, less underwriting discounts and commissions.
The offering is expected to close on or about May 8, 2025, subject to customary closing conditions.
Jefferies and Leerink Partners are acting as joint book-running managers for the offering.
Larkspur intends to use the net proceeds from the offering to fund clinical development of LK-201 and for \
working capital.""",
        {
            "offering_shares": "8000000",
            "offering_price": "7.5",
            "offering_size": "60000000",
            "overallotment_shares": "1200000",
        },
        {"offering_stage": "priced", "offering_kind": "underwritten", "security_kind": "equity"},
        ("Jefferies", "Leerink Partners"),
        ("warrant_shares",),
    ),
    Deal(
        "proposed",
        """Larkspur Therapeutics Announces Proposed Public Offering of Common Stock
BOSTON, May 5, 2025 -- Larkspur Therapeutics, Inc. today announced that it has commenced an underwritten public \
offering of its common stock.
All of the shares in the proposed offering are to be sold by Larkspur. The offering is subject to market \
conditions, and there can be no assurance as to whether or when the offering may be completed.
Larkspur intends to use the net proceeds of the offering for general corporate purposes. Larkspur also intends \
to grant the underwriters a 30-day option to purchase up to $9.0 million of additional shares.""",
        {"overallotment_size": "9000000"},
        {"offering_stage": "announced", "security_kind": "equity"},
        (),
        ("offering_price", "offering_shares", "offering_size"),
    ),
    Deal(
        "registered direct with warrants",
        """Bluefin Robotics Announces $5.2 Million Registered Direct Offering
Bluefin Robotics Corp. (NYSE American: BFR) announced today that it has entered into a securities purchase \
agreement with a single institutional investor for the purchase and sale of 4,000,000 shares of its common \
stock (or pre-funded warrants in lieu thereof) at a purchase price of $1.30 per share in a registered direct \
offering.
In a concurrent private placement, the Company will issue unregistered warrants to purchase up to 4,000,000 \
shares of common stock at an exercise price of $1.45 per share that are exercisable immediately and will expire \
five years from issuance.
H.C. Wainwright & Co. is acting as the exclusive placement agent for the offering.
The gross proceeds from the offering, before deducting the placement agent's fees, are expected to be \
approximately $5.2 million. The offering is expected to close on or about June 3, 2025.""",
        {
            "offering_shares": "4000000",
            "offering_price": "1.3",
            "warrant_shares": "4000000",
            "warrant_exercise_price": "1.45",
            "offering_size": "5200000",
        },
        {"offering_kind": "registered direct", "offering_stage": "priced"},
        ("H.C. Wainwright & Co",),
    ),
    Deal(
        "closed with the option",
        """Cobalt Foods Closes Upsized Public Offering and Full Exercise of Underwriters' Option
Cobalt Foods Inc. today announced the closing of its previously announced upsized underwritten public offering \
of 11,500,000 shares of common stock, including 1,500,000 shares sold pursuant to the underwriters' full \
exercise of their option, at a price to the public of $12.00 per share.
Gross proceeds from the offering were $138 million. Morgan Stanley & Co. LLC and BofA Securities, Inc. acted as \
joint book-running managers.""",
        {"offering_price": "12", "offering_size": "138000000"},
        {"offering_stage": "closed", "security_kind": "equity"},
        ("Morgan Stanley & Co. LLC", "BofA Securities, Inc"),
    ),
    Deal(
        "upsized notes",
        """Harrow Energy Announces Upsize and Pricing of $750 Million Senior Notes Offering
Harrow Energy LLC announced that it has priced an upsized private placement of $750 million aggregate principal \
amount of 7.125% senior notes due 2033 at par.
The offering was increased from the originally announced offering size. Harrow intends to use the net proceeds \
from the offering to repay borrowings under its revolving credit facility.""",
        {"offering_size": "750000000"},
        {"offering_stage": "upsized", "security_kind": "debt"},
        (),
        ("offering_price", "offering_shares"),
    ),
    Deal(
        "withdrawn",
        """Pinyon Data Withdraws Proposed Public Offering
Pinyon Data Holdings, Inc. today announced that it has terminated its proposed public offering of 6,000,000 \
shares of Class A common stock because of market conditions.""",
        {"offering_shares": "6000000"},
        {"offering_stage": "terminated"},
    ),
    Deal(
        "initial public offering",
        """Sable Instruments Announces Pricing of Initial Public Offering
Sable Instruments, Inc. today announced the pricing of its initial public offering of 15,000,000 shares of its \
common stock at an initial public offering price of $18.00 per share.
The underwriters have a 30-day option to purchase up to 2,250,000 additional shares of common stock from Sable \
at the initial public offering price. The shares are expected to begin trading on the Nasdaq Global Market.
Goldman Sachs & Co. LLC and J.P. Morgan are acting as lead book-running managers for the offering. Stifel and \
William Blair are acting as co-managers.""",
        {"offering_shares": "15000000", "offering_price": "18", "overallotment_shares": "2250000"},
        {"offering_stage": "priced", "offering_kind": "initial public offering"},
        ("Goldman Sachs & Co. LLC", "J.P. Morgan", "Stifel", "William Blair"),
    ),
    Deal(
        "private placement",
        """Tern Biosciences Announces $85 Million Private Placement
Tern Biosciences (Nasdaq: TERN) today announced that it has entered into a securities purchase agreement for \
the sale of 17,000,000 shares of common stock at a price of $5.00 per share, for aggregate gross proceeds of \
approximately $85 million, before deducting fees. The private placement is expected to close on July 1, 2025.""",
        {"offering_shares": "17000000", "offering_price": "5", "offering_size": "85000000"},
        {"offering_kind": "private placement"},
    ),
    Deal(
        "convertible notes with an option",
        """Mesa Cloud Announces Pricing of $400 Million Convertible Senior Notes Offering
Mesa Cloud, Inc. announced the pricing of $400 million aggregate principal amount of 1.25% convertible senior \
notes due 2030 in a private offering. Mesa Cloud also granted the initial purchasers of the notes an option to \
purchase up to an additional $60 million aggregate principal amount of notes.
The initial conversion price of approximately $48.20 per share represents a premium of approximately 32.5% to \
the last reported sale price of $36.38 per share on September 4, 2025.""",
        {"offering_size": "400000000", "overallotment_size": "60000000"},
        {"offering_stage": "priced", "security_kind": "debt"},
        (),
        ("offering_price", "offering_shares"),
    ),
    Deal(
        "ADSs",
        """Orison Pharma Announces Closing of Public Offering of American Depositary Shares
Orison Pharma plc today announced the closing of its public offering of 5,250,000 American Depositary Shares \
(ADSs), each representing ten ordinary shares, at a price to the public of $4.00 per ADS, for gross proceeds of \
$21.0 million.""",
        {"offering_shares": "5250000", "offering_price": "4", "offering_size": "21000000"},
        {"offering_stage": "closed"},
    ),
)

NO_DEALS = (
    "Acme Reports Third Quarter Results\nRevenue was $120 million. Since its initial public offering in "
    "2019 Acme has paid $3.00 per share.",
    "Acme Announces New Product Offering\nThe offering includes 5,000 units of cloud capacity at a "
    "price of $10.00 per unit.",
    "Acme Completes Acquisition of Bolt\nAcme issued 2,000,000 shares of its common stock as "
    "consideration for the acquisition.",
    "Acme Announces Share Repurchase\nThe board approved the repurchase of up to $50 million of common "
    "stock, 1,000,000 shares at a price of $50.00 per share.",
    "Acme Announces Tender Offer\nAcme commenced a tender offer to purchase up to 3,000,000 shares of "
    "common stock at a price of $11.00 per share.",
)
