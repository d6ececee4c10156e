"""Filings: recorded, standing in, synthesised; and not there before their release."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst.emulator import Recording

from .conftest import RECORDED_8K, Opens, new_york

ELM = "/Archives/edgar/data/9000001/000900000325000003/0009000003-25-000003"
LATE = "/Archives/edgar/data/9000001/000900000925000009/0009000009-25-000009"


async def test_a_filing_is_not_there_before_its_release(recording, edgar: Opens):
    async with edgar(recording, new_york("09:29:50")) as sec:
        assert (await sec.get(f"{ELM}.txt")).status == 404
        await sec.to(new_york("09:30:00"))
        assert (await sec.get(f"{ELM}.txt")).status == 200


async def test_a_held_over_filing_is_not_there_before_six(recording, edgar: Opens):
    path = "/Archives/edgar/data/9000001/0009000001-25-000001.txt"
    async with edgar(recording, new_york("05:59:59")) as sec:
        assert (await sec.get(path)).status == 404
        await sec.to(new_york("06:00:00"))
        assert (await sec.get(path)).status == 200


async def test_a_stand_in_has_the_rows_identity_and_the_recorded_documents(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00")) as sec:
        answer = await sec.get(f"{ELM}.txt")
    assert answer.headers["X-Catalyst-Recording"] == "stand-in"
    header, _, body = answer.body.decode().partition("</SEC-HEADER>\n")
    lines = header.splitlines()
    assert lines[1:4] == [
        "<SEC-HEADER>0009000003-25-000003.hdr.sgml : 20250610",
        "<CATALYST-RECORDING>stand-in",
        "<ACCEPTANCE-DATETIME>20250610093000",
    ]
    assert "ACCESSION NUMBER:\t\t0009000003-25-000003" in lines
    assert "PUBLIC DOCUMENT COUNT:\t\t2" in lines
    assert [line for line in lines if line.startswith("ITEM")] == [
        "ITEM INFORMATION:\t\tResults",
        "ITEM INFORMATION:\t\tExhibits",
    ]
    assert "\t\tCOMPANY CONFORMED NAME:\t\t\tElm & Sons" in lines
    assert "\t\tCENTRAL INDEX KEY:\t\t\t0009000001" in lines
    assert "9000777" not in answer.body.decode()
    assert body == RECORDED_8K.partition("</SEC-HEADER>\n")[2]


async def test_an_ownership_document_is_wrapped_and_gets_the_rows_parties(recording, edgar: Opens):
    async with edgar(recording, new_york("13:00:00")) as sec:
        text = (await sec.get("/Archives/edgar/data/9000051/0009000005-25-000005.txt")).body.decode()
    assert text.index("REPORTING-OWNER:") < text.index("ISSUER:") < text.index("<XML>")
    assert "<issuerCik>0009000052</issuerCik><issuerName>Oak Co</issuerName>" in text
    assert "<rptOwnerCik>0009000051</rptOwnerCik><rptOwnerName>Roe Jane</rptOwnerName>" in text


async def test_a_form_that_is_not_recorded_is_synthesised_from_the_row(recording, edgar: Opens):
    async with edgar(recording, new_york("18:00:00")) as sec:
        answer = await sec.get(f"{LATE}.txt")
    assert answer.headers["X-Catalyst-Recording"] == "synthesised"
    text = answer.body.decode()
    assert "<CATALYST-RECORDING>synthesised" in text
    assert text.count("<DOCUMENT>") == text.count("</DOCUMENT>") == 1
    assert "<p>Late Co</p>" in text


async def test_a_recorded_filing_is_served_as_it_is(recording, edgar: Opens):
    path = "/Archives/edgar/data/9000001/0009000002-25-000002.txt"
    async with edgar(recording, new_york("12:00:00")) as sec:
        answer = await sec.get(path)
    assert answer.headers["X-Catalyst-Recording"] == "recorded"
    recorded = recording.folder / "filings" / "submission" / "424B2__0009000002-25-000002.txt"
    assert answer.body == recorded.read_bytes()
    assert answer.headers["Content-Length"] == str(len(answer.body))


async def test_a_recorded_filing_that_no_row_names_is_there_all_day(recording, edgar: Opens):
    async with edgar(recording, new_york("05:58:00")) as sec:
        answer = await sec.get("/Archives/edgar/data/9000777/000900077720000001/0009000777-20-000001.txt")
    assert answer.body == RECORDED_8K.encode()


async def test_a_copy_carries_its_own_number(folder, edgar: Opens):
    recording = Recording.load(folder, volume=3)
    copy = next(one for one in recording.filings() if one.copy == 2 and one.row.form == "424B2")
    async with edgar(recording, new_york("12:00:00")) as sec:
        answer = await sec.get(f"/Archives/edgar/data/9000001/{copy.accession}.txt")
    assert answer.body.decode().count(copy.accession) >= 3
    assert answer.headers["X-Catalyst-Recording"] == "stand-in"


async def test_index_pages_list_the_documents_and_each_can_be_had(recording, edgar: Opens):
    async with edgar(recording, new_york("12:00:00")) as sec:
        page = (await sec.get(f"{ELM}-index.htm")).body.decode()
        listing = (await sec.get(ELM.rpartition("/")[0] + "/index.json")).body.decode()
        exhibit = await sec.get(ELM.rpartition("/")[0] + "/ex991.htm")
        assert (await sec.get(ELM.rpartition("/")[0] + "/other.htm")).status == 404
    assert "r8k.htm" in page
    assert '"name":"ex991.htm"' in listing
    assert exhibit.body == b"Revenue was $5.0 million."


@pytest.mark.parametrize(
    "path",
    [
        "/Archives/edgar/data/9000001/../../../../etc/passwd",
        "/Archives/edgar/data/9000001/%2e%2e/%2e%2e/etc/passwd",
        "/Archives/edgar/data/9000001/000900000325000003/..%2f..%2fMANIFEST.csv",
        "/Archives/edgar/data/9000001/000900000325000003/%2fetc%2fpasswd",
        "/files/..%2f..%2flabels.jsonl",
        "//etc/passwd",
        "/submissions/CIK000000000%00.json",
    ],
)
async def test_no_path_leads_out_of_the_index(recording, edgar: Opens, path):
    (recording.folder / "MANIFEST.csv").write_text("accession,items\nsecret,1\n")
    async with edgar(recording, new_york("23:00:00")) as sec:
        from yarl import URL

        async with sec.session.get(
            URL(sec.server.url + path, encoded=True), headers={"User-Agent": "a a@b.co"}
        ) as answer:
            body = await answer.read()
    assert answer.status == 404
    assert b"root:" not in body
    assert b"secret" not in body


@pytest.mark.corpus
@pytest.mark.slow
def test_every_filing_of_the_recorded_day_has_a_text(corpus: Path):
    from catalyst.emulator.submission import text_of

    recording = Recording.load(corpus / "edgar")
    origins = {"stand-in": 0, "synthesised": 0, "recorded": 0}
    for filing in recording.filings():
        text = text_of(recording, filing)
        head = b"".join(part if isinstance(part, bytes) else b"" for part in text.parts)[:400].decode()
        assert f"ACCESSION NUMBER:\t\t{filing.accession}" in head
        assert f"<CATALYST-RECORDING>{text.origin}" in head
        origins[text.origin] += 1
    assert sum(origins.values()) == 2600
    assert origins["stand-in"] > 1900
