"""CIK, tickers and names of companies. Read `map.py` first; `sec.py` reads the SEC's lists."""

from catalyst.companies.map import TICKERS_URL, Companies, Company, shipped
from catalyst.companies.sec import Listing, normal_cik, normal_ticker, parse_listings

__all__ = [
    "TICKERS_URL",
    "Companies",
    "Company",
    "Listing",
    "normal_cik",
    "normal_ticker",
    "parse_listings",
    "shipped",
]
