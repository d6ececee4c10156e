"""The event parser against any bytes in any pieces."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.llm.providers.sse import EventParser


def read(*chunks: bytes) -> list[bytes]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)] + parser.close()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data\n\n", [b""]),
        (b": comment\n\ndata: a\n\n", [b"a"]),
        (b"event: x\nid: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"dataset: a\ndat: b\n\n", []),
        (b"\n\n\n", []),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: a\n", [b"a"]),
        (b"data: cut", [b"cut"]),
        (b"", []),
    ],
)
def test_events_are_what_the_standard_says(stream: bytes, events: list[bytes]):
    assert read(stream) == events


WORDS = [b"data: one", b"data:two", b"data", b": hm", b"event: x", b"", b"", b'data: \xc3\xa9{"a": 1}', b"id", b"\xff"]
LINES = st.lists(st.sampled_from(WORDS), max_size=12)


@given(LINES, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.data())
def test_how_the_bytes_are_cut_makes_no_difference(lines: list[bytes], ending: bytes, data: st.DataObject):
    stream = b"".join(line + ending for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    edges = [0, *cuts, len(stream)]
    assert read(*(stream[a:b] for a, b in itertools.pairwise(edges))) == read(stream)
    assert read(*(stream[i : i + 1] for i in range(len(stream)))) == read(stream)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(stream: bytes):
    assert all(isinstance(event, bytes) for event in read(stream))


def test_an_event_beyond_the_bound_is_refused_however_it_comes():
    for chunk in (b"x" * 10, b"data: xx\n", b"data: "):
        parser = EventParser(max_bytes=1000)
        with pytest.raises(ValueError, match="1000"):
            for _ in range(1000):
                parser.feed(chunk)


def test_many_events_never_add_up_to_the_bound():
    parser = EventParser(max_bytes=100)
    assert sum(len(parser.feed(b"data: " + b"x" * 80 + b"\n\n")) for _ in range(1000)) == 1000
    assert sum(len(parser.feed(b": " + b"x" * 80 + b"\n")) for _ in range(1000)) == 0


def test_a_huge_line_in_tiny_pieces_takes_linear_time():
    def seconds(pieces: int) -> float:
        parser = EventParser(max_bytes=1 << 30)
        began = time.process_time()
        for _ in range(pieces):
            parser.feed(b"0123456789abcdef")
        parser.feed(b"\n\n")
        return time.process_time() - began

    seconds(20_000)
    assert seconds(200_000) < 40 * seconds(20_000) + 0.2
