"""Answers in Redis, shared by processes and machines: reads by key, and a stream of vectors that each process replays.

An entry lies under the first 8 bytes of its key, which are its id too; the whole key is checked on reading. No SCAN
and no search module. What Redis loses is a cold cache. All keys share a hash tag, so a cluster keeps them together.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from catalyst.errors import StorageError
from catalyst.llm.cache.kept import MOST_ENTRIES, MOST_PAIRS, Kept, Pair, Vector, value
from catalyst.llm.cache.trust import Trust

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")
PREFIX = "catalyst:{cache}:"

MOST_VECTORS = 200_000
"""Length of the stream, about."""

MARGIN = 60.0
"""Seconds that Redis keeps an entry beyond its life: the reader's clock decides, not the server's."""

KEEP = """
local p, id, body, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local canon, tenant, score, most = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SET', KEYS[2], body, 'PX', life)
if canon ~= '' then redis.call('SET', p .. 'c:' .. canon, id, 'PX', life) end
for i = 9, #ARGV do
  redis.call('SADD', p .. 'd:' .. ARGV[i], id)
  redis.call('PEXPIRE', p .. 'd:' .. ARGV[i], life)
end
local ranks = p .. 's:' .. tenant
redis.call('SADD', p .. 'tenants', tenant)
redis.call('ZADD', ranks, score, id)
local over = redis.call('ZCARD', ranks) - most
if over > 0 then
  local gone = redis.call('ZPOPMIN', ranks, over)
  for i = 1, #gone, 2 do redis.call('UNLINK', p .. 'e:' .. gone[i]) end
end
return 1
"""
COMPARED = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], 'agreed', ARGV[1])
redis.call('HINCRBY', KEYS[2], 'total', 1)
redis.call('PEXPIRE', KEYS[2], math.max(1, redis.call('PTTL', KEYS[1])))
return 1
"""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisCache:
    """A `CacheStore` in Redis; `stale` seconds are added to what an entry may lie there."""

    def __init__(self, redis: Redis, *, most: int = MOST_ENTRIES, stale: float = 0.0, prefix: str = PREFIX) -> None:
        self._redis: Any = redis
        self._most = most
        self._stale = stale
        self._prefix = prefix
        self._keep: Any = redis.register_script(KEEP)
        self._compared: Any = redis.register_script(COMPARED)
        self._release: Any = redis.register_script(RELEASE)

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        await self._redis.aclose()

    async def by_key(self, key: bytes) -> Kept | None:
        found = await self._entry(_id(key))
        return found if found is not None and found.key == key else None

    async def by_canon(self, canon: bytes) -> Kept | None:
        name = await self._ask(self._redis.get(self._name("c", canon.hex())))
        found = await self._entry(int(name, 16)) if name else None
        return found if found is not None and found.canon == canon else None

    async def by_ids(self, ids: Sequence[int]) -> dict[int, Kept]:
        if not ids:
            return {}
        bodies = await self._ask(self._redis.mget([self._name("e", _hex(number)) for number in ids]))
        found = [_decoded(body) for body in bodies if body]
        pipe = self._redis.pipeline(transaction=False)
        for entry in found:
            pipe.hmget(self._name("k", _hex(entry.id)), "agreed", "total")
        counts = await self._ask(pipe.execute()) if found else []
        return {entry.id: _trusted(entry, *map(int, _zeros(row))) for entry, row in zip(found, counts, strict=True)}

    async def keep(self, entry: Kept) -> int | None:
        number = _id(entry.key)
        name = _hex(number)
        life = max(1, int((entry.expires - entry.created + self._stale + MARGIN) * 1000))
        arguments: list[Any] = [
            self._prefix, name, _encoded(entry), life, entry.canon.hex() if entry.canon else "", entry.tenant,
            value(entry.saved, entry.created), self._most, *(drawn.hex() for drawn in entry.documents),
        ]  # fmt: skip
        keys = [self._name("t", entry.key.hex()), self._name("e", name)]
        kept = await self._ask(self._keep(keys=keys, args=arguments))
        if kept:
            await self._ask(self._redis.unlink(self._name("k", name)))
        return number if kept else None

    async def place(self, key: bytes, vector: Vector) -> None:
        if not await self._ask(self._redis.exists(self._name("e", _hex(vector.id)))):
            return
        fields = {b"i": _hex(vector.id), b"b": vector.bucket, b"s": vector.steps}
        await self._ask(self._redis.xadd(self._name("v"), fields, maxlen=MOST_VECTORS, approximate=True))

    async def vectors(self, after: str, limit: int) -> tuple[list[Vector], str]:
        found = await self._ask(self._redis.xrange(self._name("v"), f"({after}" if after else "-", "+", count=limit))
        rows = [Vector(int(row[b"i"], 16), row[b"b"], row[b"s"]) for _, row in found]
        return rows, found[-1][0].decode() if found else after

    async def ids(self) -> set[int] | None:
        """Every entry that has a rank; what expired since the last sweep has one still."""
        ranks = [await self._ask(self._redis.zrange(self._name("s", one), 0, -1)) for one in await self._tenants()]
        return {int(name, 16) for names in ranks for name in names}

    async def generation(self) -> str:
        name = self._name("generation")
        await self._ask(self._redis.set(name, uuid.uuid4().hex, nx=True))
        found = await self._ask(self._redis.get(name))
        return found.decode() if found else ""

    async def used(self, hits: Mapping[bytes, int], now: float) -> None:
        for key in hits:
            entry = await self.by_key(key)
            if entry is not None:
                scores = {_hex(entry.id): value(entry.saved, now)}
                await self._ask(self._redis.zadd(self._name("s", entry.tenant), scores, xx=True))

    async def compared(self, key: bytes, agreed: bool) -> None:
        name = _hex(_id(key))
        await self._ask(self._compared(keys=[self._name("e", name), self._name("k", name)], args=[int(agreed)]))

    async def reject(self, key: bytes, now: float, until: float) -> Kept | None:
        found = await self.by_key(key)
        name = _hex(_id(key))
        pipe = self._redis.pipeline(transaction=True)
        if until > now:  # else only the entry goes, and a tombstone that stands stays
            pipe.set(self._name("t", key.hex()), 1, px=max(1, int((until - now) * 1000)))
        pipe.unlink(self._name("e", name), self._name("k", name))
        if found is not None:
            pipe.zrem(self._name("s", found.tenant), name)
        await self._ask(pipe.execute())
        return found

    async def forget(self, document: bytes) -> int:
        drawn = self._name("d", document.hex())
        names = [name.decode() for name in await self._ask(self._redis.smembers(drawn))]
        gone = await self._unlinked(names)
        await self._ask(self._redis.unlink(drawn))
        return gone

    async def clear(self, tenant: str | None = None) -> int:
        tenants = [tenant] if tenant is not None else await self._tenants()
        gone = 0
        for one in tenants:
            ranks = self._name("s", one)
            while names := await self._ask(self._redis.zpopmin(ranks, 1_000)):
                gone += await self._unlinked([name.decode() for name, _ in names])
        if tenant is None:
            names = [self._name(kind) for kind in ("tenants", "v", "strikes", "pairs", "counts", "generation")]
            await self._ask(self._redis.unlink(*names))
        return gone

    async def sweep(self, now: float) -> int:
        """Redis lets entries go by itself; this takes their names out of the ranks."""
        gone = 0
        for tenant in await self._tenants():
            ranks = self._name("s", tenant)
            names = [name.decode() for name in await self._ask(self._redis.zrange(ranks, 0, 999))]
            bodies = await self._ask(self._redis.mget([self._name("e", name) for name in names])) if names else []
            past = [n for n, body in zip(names, bodies, strict=True) if not body or _decoded(body).expires <= now]
            if past:
                gone += await self._unlinked(past)
                await self._ask(self._redis.zrem(ranks, *past))
        return gone

    async def strike(self, template: bytes) -> int:
        found: int = await self._ask(self._redis.hincrby(self._name("strikes"), template.hex(), 1))
        return found

    async def strikes(self, template: bytes) -> int:
        return int(await self._ask(self._redis.hget(self._name("strikes"), template.hex())) or 0)

    async def note(self, pair: Pair) -> None:
        row = [pair.at, pair.tenant, pair.level, pair.outcome, pair.similarity, pair.asked, pair.kept, pair.reason]
        pipe = self._redis.pipeline(transaction=False)
        pipe.lpush(self._name("pairs"), orjson.dumps(row))
        pipe.ltrim(self._name("pairs"), 0, MOST_PAIRS - 1)
        pipe.hincrby(self._name("counts"), f"{pair.level}.{pair.outcome}", 1)
        await self._ask(pipe.execute())

    async def pairs(self, limit: int) -> list[Pair]:
        rows = await self._ask(self._redis.lrange(self._name("pairs"), 0, limit - 1))
        return [Pair(*orjson.loads(row)) for row in rows]

    async def figures(self) -> dict[str, int]:
        counts = await self._ask(self._redis.hgetall(self._name("counts")))
        found = {name.decode(): int(number) for name, number in counts.items()}
        strikes = await self._ask(self._redis.hvals(self._name("strikes")))
        found["struck"] = sum(int(number) >= 2 for number in strikes)
        sizes = [await self._ask(self._redis.zcard(self._name("s", tenant))) for tenant in await self._tenants()]
        found["entries"] = sum(sizes)
        return found

    async def lease(self, key: bytes, seconds: float) -> str | None:
        token = uuid.uuid4().hex
        name = self._name("f", key.hex())
        taken = await self._ask(self._redis.set(name, token, nx=True, px=max(1, int(seconds * 1000))))
        return token if taken else None

    async def release(self, key: bytes, token: str) -> None:
        await self._ask(self._release(keys=[self._name("f", key.hex())], args=[token]))

    async def _entry(self, number: int) -> Kept | None:
        body = await self._ask(self._redis.get(self._name("e", _hex(number))))
        return _decoded(body) if body else None

    async def _tenants(self) -> list[str]:
        return [name.decode() for name in await self._ask(self._redis.smembers(self._name("tenants")))]

    async def _unlinked(self, names: Sequence[str]) -> int:
        if not names:
            return 0
        found: int = await self._ask(self._redis.unlink(*(self._name("e", name) for name in names)))
        return found

    def _name(self, kind: str, rest: str | None = None) -> str:
        return f"{self._prefix}{kind}" if rest is None else f"{self._prefix}{kind}:{rest}"

    async def _ask(self, question: Awaitable[T]) -> T:
        from redis.exceptions import RedisError

        try:
            return await question
        except (RedisError, OSError, TimeoutError) as error:
            raise StorageError(f"Redis does not answer the cache: {type(error).__name__}; see that it runs") from error


def _id(key: bytes) -> int:
    return int.from_bytes(key[:8], "big")


def _hex(number: int) -> str:
    return f"{number:016x}"


def _trusted(entry: Kept, agreed: int, total: int) -> Kept:
    return replace(entry, trust=Trust(min(agreed, total), total))


def _zeros(row: Sequence[bytes | None]) -> list[bytes]:
    return [value or b"0" for value in row]


def _encoded(entry: Kept) -> bytes:
    head = [
        entry.key.hex(), entry.tenant, entry.feature, entry.template.hex(), entry.question, entry.day, entry.saved,
        entry.created, entry.expires, entry.canon.hex() if entry.canon else "",
        [drawn.hex() for drawn in entry.documents],
    ]  # fmt: skip
    return orjson.dumps(head) + b"\n" + entry.answer


def _decoded(body: bytes) -> Kept:
    head, _, answer = body.partition(b"\n")
    key, tenant, feature, template, question, day, saved, created, expires, canon, drawn = orjson.loads(head)
    whole = bytes.fromhex(key)
    documents = tuple(bytes.fromhex(one) for one in drawn)
    return Kept(
        whole, tenant, feature, bytes.fromhex(template), question, day, answer, saved, created, expires,
        bytes.fromhex(canon) or None, documents, id=_id(whole),
    )  # fmt: skip
