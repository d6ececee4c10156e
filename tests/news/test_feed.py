"""Feeds as items: the three formats, what is broken, and what is hostile."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.errors import ParseError
from catalyst.news.feed import MAX_ITEMS, MAX_TITLE, cleaned, moment, read_feed, read_jsonl
from tests.news.rig import rss

NOON = datetime(2025, 12, 12, 12, 0, tzinfo=UTC)

ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Elm Wire</title>
<entry><title type="html">Elm &amp;amp; Co &amp;lt;b&amp;gt;beats&amp;lt;/b&amp;gt;</title><id>tag:elm,1</id>
<link rel="self" href="https://wire.test/self"/><link href="https://wire.test/1"/>
<published>2025-12-12T07:00:00-05:00</published><summary>More</summary></entry></feed>"""

RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Old Wire</title></channel>
<item><title>Elm rises</title><link>https://wire.test/1</link><dc:date>2025-12-12T12:00:00Z</dc:date></item></rdf:RDF>"""


def test_rss_is_read_newest_first_with_its_channel_as_the_wire() -> None:
    later = NOON.replace(hour=13)
    items = read_feed(rss([("First", NOON), ("Second", later)]))
    assert [(item.title, item.published) for item in items] == [("Second", later), ("First", NOON)]
    assert items[0].source == "Loopback Wire"
    assert items[0].url == "https://wire.test/1"


def test_atom_is_read_with_its_alternate_link_and_escaped_markup_undone() -> None:
    [item] = read_feed(ATOM)
    assert (item.title, item.url, item.published, item.source) == (
        "Elm & Co beats", "https://wire.test/1", NOON, "Elm Wire",
    )  # fmt: skip


def test_rss_1_is_read() -> None:
    [item] = read_feed(RDF, "Named")
    assert (item.title, item.published, item.source) == ("Elm rises", NOON, "Named")


def test_a_prefix_that_was_never_declared_is_read_over() -> None:
    """Found by the noise below: lxml recovers such a name as `dc:date`, and its own QName refuses it."""
    row = b"<item><title>Elm</title><dc:date>2025-12-12T12:00:00Z</dc:date></item>"
    [item] = read_feed(b"<rss><channel>" + row + b"</channel></rss>")
    assert item.published == NOON


@pytest.mark.parametrize("body", [b"", b"hello", b"<html><body>Sign in</body></html>", b"\x1f\x8b\x00", b'{"a": 1}'])
def test_what_is_no_feed_is_said_so(body: bytes) -> None:
    with pytest.raises(ParseError, match="address"):
        read_feed(body)


def test_a_feed_that_breaks_off_gives_what_stands_before() -> None:
    whole = rss([("First", NOON), ("Second", NOON)])
    assert read_feed(whole[: whole.index(b"Second")])[0].title == "First"


def test_entities_are_never_expanded_and_files_never_read(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("TOPSECRET")
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 20}">' for n in range(1, 12))
    body = (
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a0 "ha">{bomb}<!ENTITY x SYSTEM "file://{secret}">]>'
        "<rss><channel><item><title>Elm &x; &a11; rises</title></item></channel></rss>"
    ).encode()
    try:
        items = read_feed(body)
    except ParseError:
        return
    assert all("TOPSECRET" not in item.title and len(item.title) < 50 for item in items)


def test_a_feed_of_endless_items_and_titles_is_cut() -> None:
    items = read_feed(rss([("word " * 5000, NOON)] * (MAX_ITEMS + 300)))
    assert len(items) == MAX_ITEMS
    assert max(len(item.title) for item in items) <= MAX_TITLE


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "file:///etc/passwd", "ftp://a.test/x", "//a.test", "https://"]
)
def test_an_address_that_is_not_http_is_left_out(link: str) -> None:
    body = f"<rss><channel><item><title>Elm</title><link>{link}</link></item></channel></rss>".encode()
    assert read_feed(body)[0].url == ""


def test_titles_are_one_plain_line() -> None:
    assert cleaned("A\x00\n <b>bold</b>\u202e move &amp;amp; more<script>", 100) == "A bold move & more"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Fri, 12 Dec 2025 07:00:00 EST", NOON),
        ("2025-12-12T12:00:00Z", NOON),
        ("2025-12-12 12:00:00", NOON),
        ("yesterday", None),
        ("", None),
        ("9999-99-99", None),
    ],
)
def test_dates_are_read_as_feeds_write_them(text: str, found: datetime | None) -> None:
    assert moment(text) == found


def test_json_lines_are_read_and_nonsense_left_out() -> None:
    lines = [
        '{"title": "Elm rises", "published": "2025-12-12T12:00:00Z", "source": "Desk"}',
        "{",
        "[1]",
        '{"x": 1}',
        "",
    ]
    [item] = read_jsonl(lines)
    assert (item.title, item.published, item.source) == ("Elm rises", NOON, "Desk")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=500), st.integers(0, 300))
def test_no_bytes_break_the_reader(noise: bytes, at: int) -> None:
    whole = rss([("Elm rises", NOON)])
    for body in (noise, whole[:at] + noise + whole[at:]):
        with contextlib.suppress(ParseError):
            read_feed(body)
