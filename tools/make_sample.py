"""Write the sample day that ships with the package: `python tools/make_sample.py [FOLDER]`.

The filings are in `tools/sample_day/`. The output has the layout of a recording and is the same on every run.
"""

from __future__ import annotations

import gzip
import html
import json
import shutil
import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from sample_day import current, earnings, holdings, offerings, periodic
from sample_day.model import DAY, ITEMS, Document, Filing, Party
from sample_day.people import PUBLIC

OUT = Path(__file__).parent.parent / "src" / "catalyst" / "emulator" / "sample"
STARTS_AT = f"{DAY}T06:00:00-05:00"

_SECTIONS = {
    "Filer": ("FILER", "COMPANY DATA"),
    "Issuer": ("ISSUER", "COMPANY DATA"),
    "Subject": ("SUBJECT COMPANY", "COMPANY DATA"),
    "Filed by": ("FILED BY", "COMPANY DATA"),
    "Reporting": ("REPORTING-OWNER", "OWNER DATA"),
}


def filings() -> list[Filing]:
    """All of them, newest first."""
    every = [one for room in (current, earnings, holdings, offerings, periodic) for one in room.FILINGS]
    return sorted(every, key=lambda one: one.accepted, reverse=True)


def submission(filing: Filing) -> str:
    """The full text, header and documents."""
    day = DAY.replace("-", "")
    head = [
        f"<SEC-DOCUMENT>{filing.number}.txt : {day}",
        f"<SEC-HEADER>{filing.number}.hdr.sgml : {day}",
        f"<ACCEPTANCE-DATETIME>{filing.accepted:%Y%m%d%H%M%S}",
        f"ACCESSION NUMBER:\t\t{filing.number}",
        f"CONFORMED SUBMISSION TYPE:\t{filing.form}",
        f"PUBLIC DOCUMENT COUNT:\t\t{len(filing.documents)}",
    ]
    if filing.period:
        head.append(f"CONFORMED PERIOD OF REPORT:\t{filing.period}")
    head += [f"ITEM INFORMATION:\t\t{ITEMS[code]}" for code in filing.items]
    head += [f"FILED AS OF DATE:\t\t{day}", f"DATE AS OF CHANGE:\t\t{day}"]
    head += [section(role, party, filing.form) for role, party in filing.parties]
    documents = [document(number, one) for number, one in enumerate(filing.documents, 1)]
    return "\n".join([*head, "</SEC-HEADER>", *documents, "</SEC-DOCUMENT>", ""])


def section(role: str, party: Party, form: str) -> str:
    """One party of the header."""
    name, data = _SECTIONS[role]
    lines = [f"\n{name}:\n\n\t{data}:\t", f"\t\tCOMPANY CONFORMED NAME:\t\t\t{party.name}"]
    lines.append(f"\t\tCENTRAL INDEX KEY:\t\t\t{party.cik}")
    if not party.person:
        lines.append(f"\t\tSTANDARD INDUSTRIAL CLASSIFICATION:\tINVENTED [{party.sic}]")
        lines.append(f"\t\tSTATE OF INCORPORATION:\t\t\t{party.state}")
        lines.append("\t\tFISCAL YEAR END:\t\t\t1231")
    lines.append(f"\n\tFILING VALUES:\n\t\tFORM TYPE:\t\t{form}\n\t\tSEC ACT:\t\t1934 Act")
    if party.file_number:
        lines.append(f"\t\tSEC FILE NUMBER:\t{party.file_number}")
    return "\n".join(lines)


def document(number: int, one: Document) -> str:
    body = f"<{one.wrapper}>\n{one.body}\n</{one.wrapper}>" if one.wrapper else one.body
    described = f"<DESCRIPTION>{one.description}\n" if one.description else ""
    return (
        f"<DOCUMENT>\n<TYPE>{one.type}\n<SEQUENCE>{number}\n<FILENAME>{one.filename}\n{described}"
        f"<TEXT>\n{body}\n</TEXT>\n</DOCUMENT>"
    )


def rows(filing: Filing, size: int) -> list[str]:
    """The filing's feed rows, one a party, as getcurrent shows them."""
    items = "".join(f"\n&lt;br&gt;Item {code}: {html.escape(ITEMS[code])}" for code in filing.items)
    updated = filing.accepted.isoformat()
    return [
        f"<entry>\n<title>{filing.form} - {html.escape(party.name)} ({party.cik}) ({role})</title>\n"
        f'<link rel="alternate" type="text/html" href="https://www.sec.gov/Archives/edgar/data/{int(party.cik)}/'
        f'{filing.number.replace("-", "")}/{filing.number}-index.htm"/>\n'
        f'<summary type="html">\n &lt;b&gt;Filed:&lt;/b&gt; {DAY} &lt;b&gt;AccNo:&lt;/b&gt; {filing.number} '
        f"&lt;b&gt;Size:&lt;/b&gt; {max(1, size // 1024)} KB{items}\n</summary>\n"
        f"<updated>{updated}</updated>\n"
        f'<category scheme="https://www.sec.gov/" label="form type" term="{filing.form}"/>\n'
        f"<id>urn:tag:sec.gov,2008:accession-number={filing.number}</id>\n</entry>"
        for role, party in filing.parties
    ]


def feed(entries: list[str]) -> bytes:
    last = f"{date.fromisoformat(DAY):%a, %d %b %Y} 06:10:30 EST"
    head = (
        '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>Latest Filings - {last}</title>\n"
        '<link rel="alternate" href="/cgi-bin/browse-edgar?action=getcurrent"/>\n'
        '<link rel="self" href="/cgi-bin/browse-edgar?action=getcurrent"/>\n'
        "<id>https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent</id>\n"
        "<author><name>Webmaster</name><email>webmaster@sec.gov</email></author>\n"
        f"<updated>{DAY}T06:10:30-05:00</updated>\n"
    )
    return (head + "\n".join(entries) + "\n</feed>\n").encode("iso-8859-1")


def label(filing: Filing, name: str) -> dict[str, object]:
    """What a perfect reader would know."""
    companies = [party for role, party in filing.parties if role in ("Filer", "Issuer", "Subject")]
    return {
        "accession": filing.number,
        "form": filing.form,
        "files": [f"filings/submission/{name}"],
        "items": list(filing.items),
        "cik": companies[0].cik,
        "company": companies[0].name,
        "tickers_now": [companies[0].ticker] if companies[0].ticker else [],
        "accepted": f"{filing.accepted:%Y%m%d%H%M%S}",
        "filed": DAY.replace("-", ""),
    }


def write(out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    texts, pages = out / "filings" / "submission", out / "feeds" / "getcurrent"
    for folder in (texts, pages, out / "metadata" / "company_tickers", out / "metadata" / "company_tickers_exchange"):
        folder.mkdir(parents=True)
    entries, labels = [], []
    for filing in filings():
        text = submission(filing)
        name = f"{filing.form.replace(' ', '_').replace('/', '_')}__{filing.number}.txt"
        (texts / name).write_text(text)
        entries += rows(filing, len(text))
        labels.append(json.dumps(label(filing, name)))
    # A gzip without a time in it is the same on every run.
    (pages / "getcurrent__sample__start-00000.xml.gz").write_bytes(gzip.compress(feed(entries), mtime=0))
    (out / "labels.jsonl").write_text("\n".join(labels) + "\n")
    (out / "recording.json").write_text(json.dumps({"starts_at": STARTS_AT}) + "\n")
    tickers(out / "metadata")


def tickers(metadata: Path) -> None:
    plain = {str(n): {"cik_str": int(one.cik), "ticker": one.ticker, "title": one.name} for n, one in enumerate(PUBLIC)}
    data = [[int(one.cik), one.name, one.ticker, one.exchange] for one in PUBLIC]
    exchange = {"fields": ["cik", "name", "ticker", "exchange"], "data": data}
    (metadata / "company_tickers" / "company_tickers.json").write_text(json.dumps(plain, indent=1) + "\n")
    place = metadata / "company_tickers_exchange" / "company_tickers_exchange.json"
    place.write_text(json.dumps(exchange, indent=1) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
