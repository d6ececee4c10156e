"""What every `CacheStore` promises. Subclass it with a `store` fixture that gives an open store of `MOST` entries."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from catalyst.llm.cache.kept import CacheStore, Kept, Pair, Vector

NOW = 1_765_548_000.0
DAY = 86_400.0
MOST = 100


def key(number: int) -> bytes:
    return number.to_bytes(8, "big") + bytes(24)


def entry(number: int = 1, **changes: Any) -> Kept:
    plain = Kept(
        key(number), "acme", "ask", b"t" * 32, f"question {number}?", "2025-12-12", b'{"text":"\xc3\xa9\\n"}', 1_000,
        NOW, NOW + DAY,
    )  # fmt: skip
    return replace(plain, **changes)


def pair(**changes: Any) -> Pair:
    return replace(Pair(NOW, "acme", "l2", "served", 0.97, "a?", "b?", "same slots"), **changes)


class CacheContract:
    async def test_what_is_kept_is_found_by_key_canon_and_id(self, store: CacheStore) -> None:
        kept = entry(canon=b"c" * 32, documents=(b"d" * 32, b"e" * 32))
        number = await store.keep(kept)
        assert number is not None
        whole = replace(kept, id=number)
        assert await store.by_key(kept.key) == whole
        assert await store.by_canon(b"c" * 32) == whole
        assert await store.by_ids([number, number + 1]) == {number: whole}

    async def test_what_is_not_kept_is_not_found(self, store: CacheStore) -> None:
        assert await store.by_key(key(1)) is None
        assert await store.by_canon(b"c" * 32) is None
        assert await store.by_ids([1, 2]) == {}
        assert await store.by_ids([]) == {}

    async def test_keys_that_share_their_first_bytes_are_not_mixed_up(self, store: CacheStore) -> None:
        await store.keep(entry(1))
        assert await store.by_key(key(1)[:31] + b"\x01") is None

    async def test_the_latest_answer_of_a_canonical_question_is_found(self, store: CacheStore) -> None:
        await store.keep(entry(1, canon=b"c" * 32))
        await store.keep(entry(2, canon=b"c" * 32))
        found = await store.by_canon(b"c" * 32)
        assert found is not None
        assert found.key == key(2)

    async def test_keeping_again_replaces(self, store: CacheStore) -> None:
        await store.keep(entry(answer=b"old"))
        await store.keep(entry(answer=b"new"))
        found = await store.by_key(key(1))
        assert found is not None
        assert found.answer == b"new"
        assert (await store.figures())["entries"] == 1

    async def test_a_rejected_key_is_gone_and_cannot_be_kept_until_its_tombstone_ends(self, store: CacheStore) -> None:
        await store.keep(entry())
        gone = await store.reject(key(1), NOW, NOW + DAY)
        assert gone is not None
        assert gone.question == "question 1?"
        assert await store.by_key(key(1)) is None
        assert await store.keep(entry(created=NOW + 5)) is None
        assert await store.by_key(key(1)) is None
        assert await store.keep(entry(2)) is not None

    async def test_a_shorter_rejection_does_not_end_a_longer_one(self, store: CacheStore) -> None:
        """An audit that finds an answer wrong just removes it; a user's word, given meanwhile, holds for a day."""
        await store.reject(key(1), NOW, NOW + DAY)
        await store.reject(key(1), NOW + 1, NOW + 1)
        await asyncio.sleep(0.01)
        assert await store.keep(replace(entry(1), created=NOW + 2)) is None

    async def test_a_key_that_is_not_there_yet_can_be_rejected(self, store: CacheStore) -> None:
        assert await store.reject(key(1), NOW, NOW + DAY) is None
        assert await store.keep(entry()) is None

    async def test_vectors_are_replayed_in_order_and_only_of_what_stands(self, store: CacheStore) -> None:
        placed = []
        for number in range(1, 6):
            found = await store.keep(entry(number))
            assert found is not None
            placed.append(Vector(found, b"b" * 32, bytes([number]) * 4))
        for vector in placed:
            await store.place(key(placed.index(vector) + 1), vector)
        await store.place(key(9), Vector(999, b"b" * 32, b"none"))
        first, position = await store.vectors("", 3)
        rest, end = await store.vectors(position, 100)
        assert first + rest == placed
        assert await store.vectors(end, 10) == ([], end)

    async def test_a_vector_placed_late_is_still_seen(self, store: CacheStore) -> None:
        one, two = await store.keep(entry(1)), await store.keep(entry(2))
        assert one is not None
        assert two is not None
        await store.place(key(2), Vector(two, b"b", b"2222"))
        _, position = await store.vectors("", 10)
        await store.place(key(1), Vector(one, b"b", b"1111"))
        found, _ = await store.vectors(position, 10)
        assert [vector.id for vector in found] == [one]

    async def test_the_least_valuable_answers_go_first(self, store: CacheStore) -> None:
        await store.keep(entry(1, saved=10**9))
        await store.keep(entry(2, saved=1))
        await store.used({key(2): 1}, NOW + 30 * DAY)
        await store.keep(entry(3, saved=1))
        for number in range(4, MOST + 200):
            await store.keep(entry(number, saved=1_000, created=NOW + number))
        assert (await store.figures())["entries"] <= MOST + 64
        assert await store.by_key(key(1)) is not None
        assert await store.by_key(key(2)) is not None
        assert await store.by_key(key(3)) is None

    async def test_one_tenant_does_not_crowd_out_another(self, store: CacheStore) -> None:
        await store.keep(entry(1, tenant="globex", saved=0))
        for number in range(2, MOST + 200):
            await store.keep(entry(number, saved=10**9))
        assert await store.by_key(key(1)) is not None

    async def test_forgetting_a_document_removes_what_was_drawn_from_it(self, store: CacheStore) -> None:
        await store.keep(entry(1, documents=(b"d" * 32,)))
        await store.keep(entry(2, documents=(b"d" * 32, b"e" * 32)))
        await store.keep(entry(3, documents=(b"e" * 32,)))
        assert await store.forget(b"d" * 32) == 2
        assert [await store.by_key(key(number)) is None for number in (1, 2, 3)] == [True, True, False]
        assert await store.forget(b"d" * 32) == 0

    async def test_clearing_a_tenant_leaves_the_others(self, store: CacheStore) -> None:
        await store.keep(entry(1))
        await store.keep(entry(2, tenant="globex"))
        assert await store.clear("acme") == 1
        assert await store.by_key(key(1)) is None
        assert await store.by_key(key(2)) is not None
        await store.strike(b"t" * 32)
        assert await store.clear() == 1
        assert await store.strikes(b"t" * 32) == 0

    async def test_sweeping_removes_what_expired(self, store: CacheStore) -> None:
        await store.keep(entry(1, expires=NOW + 10))
        await store.keep(entry(2, expires=NOW + 20))
        assert await store.sweep(NOW + 10) == 1
        assert await store.by_key(key(1)) is None
        assert await store.by_key(key(2)) is not None

    async def test_comparisons_count_towards_trust(self, store: CacheStore) -> None:
        number = await store.keep(entry())
        await store.compared(key(1), True)
        await store.compared(key(1), False)
        await store.compared(key(2), True)
        assert number is not None
        found = (await store.by_ids([number]))[number]
        assert (found.trust.agreed, found.trust.total) == (1, 2)

    async def test_an_answer_kept_anew_has_no_trust(self, store: CacheStore) -> None:
        await store.keep(entry())
        await store.compared(key(1), True)
        number = await store.keep(entry(answer=b"other"))
        assert number is not None
        assert (await store.by_ids([number]))[number].trust.total == 0

    async def test_strikes_add_up_by_template(self, store: CacheStore) -> None:
        assert await store.strikes(b"t" * 32) == 0
        assert [await store.strike(b"t" * 32), await store.strike(b"t" * 32)] == [1, 2]
        assert await store.strikes(b"u" * 32) == 0
        assert (await store.figures())["struck"] == 1

    async def test_pairs_are_remembered_latest_first_and_counted(self, store: CacheStore) -> None:
        await store.note(pair())
        await store.note(pair(outcome="refused", asked="c?"))
        await store.note(pair(outcome="refused", asked="d?"))
        assert [found.asked for found in await store.pairs(2)] == ["d?", "c?"]
        figures = await store.figures()
        assert (figures["l2.served"], figures["l2.refused"]) == (1, 2)

    async def test_the_generation_stays(self, store: CacheStore) -> None:
        assert await store.generation() == await store.generation() != ""
