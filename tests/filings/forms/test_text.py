"""Text: rows, blocks, entities, hidden parts, encodings."""

from __future__ import annotations

import pytest

from catalyst.filings.forms import document_text


def test_a_tables_rows_become_lines_of_cells_and_signs_join_their_numbers():
    cells = ("Revenue", "$", "1,250", "(980", ")", "12", "%")
    page = f"<html><table><tr><td>{'</td><td>'.join(cells)}</td></tr></table>".encode()
    assert document_text(page) == "Revenue | $1,250 | (980) | 12%"


def test_old_tables_without_closing_tags_keep_their_rows():
    assert document_text(b"<HTML><TABLE><TR><TD>a<TD>b<TR><TD>c<TD>d</TABLE>") == "a | b\nc | d"


def test_blocks_become_lines_and_layout_cells_stay_blocks():
    page = b"<html><body><p>One<br>two</p><table><tr><td><p>three</p><p>four</p></td></tr></table></body></html>"
    assert [line for line in document_text(page).splitlines() if line] == ["One", "two", "three", "four"]


@pytest.mark.parametrize(
    "hidden",
    [
        b"<script>var secret = '<p>x</p>'</script>",
        b"<style>.secret{}</style>",
        b"<!-- secret <p>x</p> -->",
        b"<ix:header><ix:hidden>secret</ix:hidden></ix:header>",
        b'<div style="display: none"><div>secret</div></div>',
        b"<title>secret</title>",
    ],
)
def test_what_is_not_shown_is_not_read(hidden):
    assert document_text(b"<html><body>seen " + hidden + b"too</body></html>").split() == ["seen", "too"]


def test_entities_and_hard_spaces_become_plain_characters():
    assert document_text(b"<p>A&#160;&amp;&nbsp;B &#8220;C&#8221; &lt;D&gt;</p>") == "A & B “C” <D>"


@pytest.mark.parametrize(
    "body",
    [
        "<p>Café “x” – €5</p>".encode(),
        "<p>Café “x” – €5</p>".encode("cp1252"),
        "<p>Café “x” – €5</p>".encode("utf-16"),
    ],
)
def test_every_encoding_gives_the_same_text(body):
    assert document_text(body) == "Café “x” – €5"


def test_broken_bytes_do_not_stop_the_reading():
    assert document_text(b"<p>good \xff\xfe\x81 text</p>").startswith("good")


def test_a_text_document_keeps_its_lines_and_its_tables_become_cells():
    text = "Heading\n\n\n<TABLE>\n<CAPTION>\nSales      $ 100     $ 90\n</TABLE>\na  b\n"
    assert document_text(text.encode()) == "Heading\n\nSales | $ 100 | $ 90\n\na  b"


def test_a_sign_that_opens_no_tag_is_text():
    assert document_text(b"<p>if a < b then</p>") == "if a < b then"
