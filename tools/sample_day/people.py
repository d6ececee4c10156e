"""Who is in the sample day. Invented names; the CIKs lie beyond those that EDGAR has given out."""

from __future__ import annotations

from .model import Party

HALORIN = Party(
    "Halorin Devices, Inc.", "0009100011", "HLRN", "Nasdaq", "3674", "DE", "410 Kestrel Way, Boise, Idaho", "001-99011"
)
BRACKWATER = Party(
    "Brackwater Logistics Corp",
    "0009100022",
    "BRKW",
    "NYSE",
    "4731",
    "MD",
    "9 Harbor Row, Baltimore, Maryland",
    "001-99022",
)
TINDREL = Party(
    "Tindrel Therapeutics, Inc.",
    "0009100033",
    "TNDL",
    "Nasdaq",
    "2836",
    "DE",
    "77 Larch Street, Durham, North Carolina",
    "001-99033",
)
CORVANTA = Party(
    "Corvanta Health Systems Inc",
    "0009100044",
    "CVHS",
    "NYSE",
    "8062",
    "TN",
    "1200 Alder Park, Knoxville, Tennessee",
    "001-99044",
)
PELLWORTH = Party(
    "Pellworth Brands, Inc.", "0009100055", "PLWB", "NYSE", "2080", "OH", "33 Mill Race, Dayton, Ohio", "001-99055"
)
NORVALE = Party(
    "Norvale Instruments Inc",
    "0009100066",
    "NVLI",
    "Nasdaq",
    "3826",
    "MA",
    "5 Foundry Lane, Lowell, Massachusetts",
    "001-99066",
)
ARDMOOR = Party(
    "Ardmoor Timber Co", "0009100077", "ARDM", "NYSE", "2400", "OR", "801 Cedar Avenue, Eugene, Oregon", "001-99077"
)
QUILLHAVEN = Party(
    "Quillhaven Software, Inc.",
    "0009100088",
    "",
    "",
    "7372",
    "DE",
    "250 Prospect Street, Denver, Colorado",
    "333-990088",
)
SENJAKU = Party(
    "Senjaku Holdings Ltd", "0009100099", "SJKU", "NYSE", "4911", "D0", "2 Minato Plaza, Hamilton, Bermuda", "001-99099"
)
MOSSBRIDGE = Party(
    "Mossbridge Energy Corp", "0009100110", "MSBE", "NYSE", "1311", "TX", "64 Ranger Road, Midland, Texas", "001-99110"
)
DUNMARROW = Party(
    "Dunmarrow Retail Group, Inc.",
    "0009100121",
    "DNMR",
    "NYSE",
    "5311",
    "DE",
    "18 Exchange Court, Columbus, Ohio",
    "001-99121",
)
ZEPHRANE = Party(
    "Zephrane Labs, Inc.", "0009100132", "ZPHR", "Nasdaq", "7370", "NV", "100 Mesa View, Reno, Nevada", "001-99132"
)
CALDSPAR = Party(
    "Caldspar Mining Inc", "0009100143", "CLDM", "OTC", "1040", "NV", "7 Shaft Street, Elko, Nevada", "000-99143"
)
WEXCOMBE = Party(
    "Wexcombe Motors Corp",
    "0009100154",
    "WXMC",
    "NYSE",
    "3711",
    "MI",
    "3000 Assembly Drive, Flint, Michigan",
    "001-99154",
)
LUMIVAULT = Party(
    "Lumivault Energy, Inc.",
    "0009100165",
    "LMVT",
    "Nasdaq",
    "3690",
    "DE",
    "12 Solar Court, Tempe, Arizona",
    "001-99165",
)

GREYFELL = Party(
    "Greyfell Capital Partners LP", "0009200011", sic="6799", state="DE", place="88 Wharf Street, Boston, Massachusetts"
)
TALLIS = Party(
    "Tallis Ridge Advisors LLC", "0009200022", sic="6282", state="CT", place="4 Summit Lane, Stamford, Connecticut"
)

ORSOLYA = Party("Vantreight Orsolya M", "0009300011")
KESTERLIN = Party("Kesterlin Partners III, L.P.", "0009300022")
BRANNOCK = Party("Brannock Idris T", "0009300033")
SELWYN = Party("Selwyn-Okoye Adaeze", "0009300044")

PUBLIC = (
    HALORIN, BRACKWATER, TINDREL, CORVANTA, PELLWORTH, NORVALE, ARDMOOR, SENJAKU, MOSSBRIDGE, DUNMARROW, ZEPHRANE,
    CALDSPAR, WEXCOMBE, LUMIVAULT,
)  # fmt: skip
