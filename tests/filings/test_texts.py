"""The texts of filings: kept letter by letter in SQLite and in Redis, bounded, gone when their alert is gone."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import SystemClock
from catalyst.db import Database
from catalyst.filings.texts import MOST_CHARACTERS, Part, SqliteTexts, Text
from catalyst.filings.texts_redis import RedisTexts
from catalyst.filings.types import Exhibit, Parsed
from catalyst.stream.redis_link import Link
from tests.fakes.redis import redis_server as redis_server


@pytest.fixture(params=["sqlite", "redis"])
async def texts(request, tmp_path):
    if request.param == "sqlite":
        with contextlib.closing(Database(tmp_path / "texts.db", synchronous="NORMAL")) as db:
            yield SqliteTexts(db, SystemClock())
        return
    link = Link(request.getfixturevalue("redis_server").url, "test-texts")
    yield RedisTexts(link, 3600)
    await link.close()


async def test_a_text_comes_back_as_it_was_kept(texts):
    kept = Text((Part("8-K", "Item 2.02 | é"), Part("EX-99.1", "Revenue rose.")))
    await texts.keep("0001-25-000001", kept)
    assert await texts.get("0001-25-000001") == kept
    assert await texts.get("0001-25-000002") is None


async def test_a_later_text_takes_an_earlier_one_s_place(texts):
    for said in ("first", "second"):
        await texts.keep("0001-25-000001", Text((Part("8-K", said),)))
    found = await texts.get("0001-25-000001")
    assert found is not None
    assert found.parts[0].text == "second"


def test_what_is_too_long_is_cut_and_says_so():
    parsed = Parsed(
        "0001-25-000001", "10-K", "periodic", "x" * MOST_CHARACTERS, exhibits=(Exhibit("EX-99.1", "", "y"),)
    )
    text = Text.of(parsed)
    assert text.cut
    assert [len(part.text) for part in text.parts] == [MOST_CHARACTERS, 0]
    assert not Text.of(Parsed("0001-25-000001", "8-K", "eight_k", "short")).cut


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=200)), max_size=4))
def test_packing_loses_nothing(rows):
    try:
        text = Text(tuple(Part(kind.encode().decode(), said.encode().decode()) for kind, said in rows))
    except UnicodeEncodeError:
        return
    assert Text.unpacked(text.packed()) == text


async def test_texts_go_when_their_alert_is_gone(tmp_path):
    with contextlib.closing(Database(tmp_path / "texts.db", synchronous="NORMAL")) as db:
        texts = SqliteTexts(db, SystemClock())
        for number in range(450):
            await texts.keep(f"{number:03}", Text((Part("8-K", "x"),)))

        async def held(accession: str) -> bool:
            return accession >= "420"

        assert await texts.trim(held) == 420
        assert await texts.get("419") is None
        assert await texts.get("420") is not None
