"""`catalyst digest` as a process: files, addresses, accessions, a model behind the hub, clear errors."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.app.processes import run
from tests.filings.forms.samples import EIGHT_K, FORM_4

pytestmark = pytest.mark.slow  # processes, or seconds of work: `make check` leaves it out

ACCESSION = "0000320193-24-000005"


class Edgar(BaseHTTPRequestHandler):
    """Serves one filing under any company, and 404 for the rest; remembers what was asked."""

    asked: list[tuple[str, str]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("User-Agent", "")))
        found = self.path.endswith(".txt") and "/42/" not in self.path
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(EIGHT_K if found else b"no")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def edgar() -> Iterator[str]:
    Edgar.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Edgar)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_bytes(EIGHT_K)
    return path


def test_a_file_is_told_on_one_screen(file: Path, tmp_path: Path) -> None:
    done = run("digest", str(file), "--rules", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "earnings results (8-K 2.02)" in done.stdout.splitlines()[0]
    assert "priority high" in done.stdout
    assert "Why:" in done.stdout
    assert done.stdout.count("\n") < 60


def test_json_holds_the_whole_analysis(file: Path, tmp_path: Path) -> None:
    done = run("digest", str(file), "--json", "--rules", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["filing_type"] == "8-K"
    assert told["company"] == "QUILL & ANCHOR HOLDINGS, INC."
    assert told["items"] == ["2.02", "9.01"]
    assert told["analysis"]["source"] == "rules"
    assert told["analysis"]["priority"] == "high"
    assert told["headline"]


def test_a_bare_document_takes_its_form_from_the_option(tmp_path: Path) -> None:
    (tmp_path / "f.xml").write_text(FORM_4)
    told = json.loads(run("digest", "f.xml", "--form", "4", "--json", "--rules", cwd=tmp_path).stdout)
    assert told["filing_type"] == "4"
    assert told["analysis"]["event_types"] == ["insider transaction"]


def test_an_address_of_an_index_page_finds_the_text(edgar: str, tmp_path: Path) -> None:
    done = run("digest", f"{edgar}/Archives/edgar/data/7/x/{ACCESSION}-index.htm", "--json", "--rules", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Edgar.asked[0][0] == f"/Archives/edgar/data/7/x/{ACCESSION}.txt"


def test_an_accession_is_looked_up_under_its_filer(edgar: str, tmp_path: Path) -> None:
    done = run("digest", ACCESSION.replace("-", ""), "--json", cwd=tmp_path, EDGAR_BASE_URL=edgar)
    assert done.returncode == 0, done.stderr
    assert Edgar.asked[0][0] == f"/Archives/edgar/data/320193/000032019324000005/{ACCESSION}.txt"


def test_a_filing_that_is_not_there_says_what_to_try(edgar: str, tmp_path: Path) -> None:
    done = run("digest", ACCESSION, "--cik", "42", cwd=tmp_path, EDGAR_BASE_URL=edgar)
    assert done.returncode == 1
    assert "give --cik" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_live_edgar_without_a_user_agent_is_not_asked(tmp_path: Path) -> None:
    done = run("digest", ACCESSION, cwd=tmp_path)
    assert done.returncode == 1
    assert "SEC_USER_AGENT" in done.stderr


@pytest.mark.parametrize(
    ("target", "code"), [("nonsense", 2), ("0000-1", 2), ("x" * 5000, 2), (".", 2), ("http://127.0.0.1:9/a.txt", 1)]
)
def test_what_cannot_be_read_is_one_line_and_an_exit_code(target: str, code: int, tmp_path: Path) -> None:
    done = run("digest", target, cwd=tmp_path)
    assert done.returncode == code
    assert done.stderr.startswith("catalyst: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("body", [b"", b"\x00\xff" * 500])
def test_a_file_that_is_no_filing_is_one_line(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(body)
    done = run("digest", "a.txt", "--rules", cwd=tmp_path)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)


def test_a_model_that_fails_leaves_the_rules_analysis(file: Path, tmp_path: Path) -> None:
    done = run(
        "digest", str(file), "--json", cwd=tmp_path, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        LLM_MAX_RETRIES="0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["analysis"]["source"] == "rules"
    assert "sk-test" not in done.stderr + done.stdout


def test_control_characters_of_a_filing_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(EIGHT_K.replace(b"QUILL", b"QU\x1b[31mILL"))
    assert "\x1b" not in run("digest", "a.txt", "--rules", cwd=tmp_path).stdout
