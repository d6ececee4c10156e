"""The Lua that Redis runs for the log: each script is one atomic step, in memory and in the append-only file.

Keys under a prefix that holds the hash tag, so that all lie on one node of a cluster: `log` the stream (`<offset>-0`,
with `t` the commit's nanoseconds, `m` what filters read, `b` the body), `meta` (epoch, head, oldest, ts, fence, writes,
and what `redis_opening.py` keeps), `keys` unique key to offset, `filings` a line a message of each filing, `positions`
of consumers, and sorted sets of offsets: `t:TICKER`, `f:FORM`, `s:STEP` (hundredths of the greatest score so far).
"""

from __future__ import annotations

GUARD = """
local p = ARGV[1]
local meta = p .. ':meta'
do
  local found = redis.call('HMGET', meta, 'fence', 'writes')
  local fence, token = tonumber(found[1] or 0), tonumber(ARGV[2])
  if token < fence then return redis.error_reply('FENCED another process holds the lease') end
  if token > fence or tonumber(found[2] or 0) < tonumber(ARGV[3]) then
    return redis.error_reply('BEHIND the server has lost writes that it acknowledged')
  end
end
local writes = redis.call('HINCRBY', meta, 'writes', 1)
"""
"""Opens every script that writes: ARGV holds prefix, fencing token, and how many writes the caller knows of."""

_STORE = """
local function number(value) return string.format('%.0f', value) end

local function lines_of(text)
  local found = {}
  for offset, score, tickers in string.gmatch(text or '', '(%d+) (%S+) ([^\\n]*)\\n') do
    found[#found + 1] = {tonumber(offset), score, tickers}
  end
  return found
end

-- One record under `offset`: stream, unique key, filing, indices.
local function store(offset, ts, m, body)
  local told = cjson.decode(m)
  local key, filing, form, score, tickers, earlier = told[1], told[3], told[4], told[5], told[6], told[7]
  local reach, names = score, {}
  for _, name in ipairs(tickers) do names[name] = true end
  for _, past in ipairs(earlier) do
    reach = math.max(reach, past[2])
    for _, name in ipairs(past[1]) do names[name] = true end
  end
  local id = number(offset)
  redis.call('XADD', p .. ':log', id .. '-0', 't', ts, 'm', m, 'b', body)
  redis.call('HSET', p .. ':keys', key, id)
  for name in pairs(names) do redis.call('ZADD', p .. ':t:' .. name, id, id) end
  redis.call('ZADD', p .. ':f:' .. form, id, id)
  redis.call('ZADD', p .. ':s:' .. math.floor(reach * 100), id, id)
  redis.call('HSET', meta, 'head', id, 'ts', ts)
end
"""

APPEND = (
    GUARD
    + _STORE
    + """
local held = redis.call('HMGET', meta, 'head', 'ts', 'epoch')
local head, ts, now, offsets = tonumber(held[1] or 0), held[2] or string.rep('0', 19), ARGV[4], {}
for i = 6, #ARGV, 8 do
  local key, kind, filing, score, tickers, before, tail = unpack(ARGV, i, i + 6)
  local known = redis.call('HGET', p .. ':keys', key)
  if known then
    offsets[#offsets + 1] = tonumber(known)
  else
    head = head + 1
    -- Commit times never fall; one that is a day or more ahead of the clock was wrong before.
    if not (ts > now and tonumber(ts) - tonumber(now) < 86400e9) then ts = now end
    local text, earlier, seen = redis.call('HGET', p .. ':filings', filing) or '', {}, {}
    if ARGV[i + 7] == '1' then
      for _, line in ipairs(lines_of(text)) do
        local pair = '[' .. line[3] .. ',' .. line[2] .. ']'
        if not seen[pair] then
          seen[pair] = true
          earlier[#earlier + 1] = pair
        end
      end
    end
    local m = before .. ',[' .. table.concat(earlier, ',') .. ']]'
    local body = '{"type":"' .. kind .. '","epoch":"' .. held[3] .. '","ts_ns":' .. ts .. ',' .. tail
    store(head, ts, m, body)
    redis.call('HSET', p .. ':filings', filing, text .. number(head) .. ' ' .. score .. ' ' .. tickers .. '\\n')
    offsets[#offsets + 1] = head
  end
end
local copied = {}
if ARGV[5] ~= '' and tonumber(ARGV[5]) < head then
  copied = redis.call('XRANGE', p .. ':log', number(math.max(tonumber(ARGV[5]), head - 2000) + 1) .. '-0', '+')
end
return {writes, offsets, copied}
"""
)
"""ARGV: guard, now (19 digits), the journal's head or empty; then eight a message.

Returns writes, offsets, and what follows the journal's head."""

REFILL = (
    GUARD
    + _STORE
    + """
local head = tonumber(redis.call('HGET', meta, 'head') or 0)
for i = 4, #ARGV, 4 do
  local offset, ts, m, body = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if offset == head + 1 then
    store(offset, ts, m, body)
    local told = cjson.decode(m)
    local tickers, score = string.match(m, ',(%b[]),%b[]%]$'), string.match(m, ',([%d.e+-]+),%b[],%b[]%]$')
    local text = redis.call('HGET', p .. ':filings', told[3]) or ''
    local line = number(offset) .. ' ' .. score .. ' ' .. tickers .. '\\n'
    redis.call('HSET', p .. ':filings', told[3], text .. line)
    head = offset
  end
end
return {writes, head}
"""
)
"""Put back what a journal kept. ARGV: guard, then offset, time, `m` and body of each. Returns writes and head."""

RETAIN = (
    GUARD
    + """
local function number(value) return string.format('%.0f', value) end
local found = redis.call('HMGET', meta, 'oldest', 'head')
local oldest, head = tonumber(found[1] or 1), tonumber(found[2] or 0)
if head < oldest then return {writes, 0} end

local function time_of(offset)
  local entry = redis.call('XRANGE', p .. ':log', number(offset) .. '-0', '+', 'COUNT', 1)[1]
  return entry and entry[2][2] or string.rep('9', 19)
end
-- The first offset whose time is at least `ts`, of those up to `high`.
local function first_since(ts, high)
  local low = oldest
  while low < high do
    local middle = math.floor((low + high) / 2)
    if time_of(middle) < ts then low = middle + 1 else high = middle end
  end
  return low
end

local last = 0
if ARGV[5] ~= '' then last = head - tonumber(ARGV[5]) end
if ARGV[4] ~= '' then
  local newest = time_of(head)
  local span, day = tonumber(ARGV[6]), 86400e9
  local before = ARGV[4]
  -- The clock may have leapt: ages count from the newest record where that is older than now.
  local since = tonumber(newest) - span
  if since < tonumber(before) then before = string.format('%019.0f', math.max(0, since)) end
  local aged = first_since(before, head) - 1
  -- ... and where records were written under the leapt clock, days that have records count, however far apart.
  local kept = head + 1
  for _ = 1, math.floor(span / day * tonumber(ARGV[7])) do
    if kept <= oldest then break end
    local ts = tonumber(time_of(kept - 1))
    kept = first_since(string.format('%019.0f', ts - ts % day), kept - 1)
  end
  last = math.max(last, math.min(aged, kept - 1))
end

local stop = math.min(head - 1, oldest + tonumber(ARGV[8]) - 1)
for _, position in ipairs(redis.call('HVALS', p .. ':positions')) do stop = math.min(stop, tonumber(position)) end
if redis.call('EXISTS', p .. ':log') == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', p .. ':log')) do
    local told = {}
    for i = 1, #group, 2 do told[group[i]] = group[i + 1] end
    stop = math.min(stop, tonumber(string.match(told['last-delivered-id'], '^%d+')))
    local pending = redis.call('XPENDING', p .. ':log', told['name'])
    if pending[1] > 0 then stop = math.min(stop, tonumber(string.match(pending[2], '^%d+')) - 1) end
  end
end
last = math.min(last, stop)
if last < oldest then return {writes, 0} end

for _, entry in ipairs(redis.call('XRANGE', p .. ':log', number(oldest) .. '-0', number(last) .. '-0')) do
  local id, told = string.match(entry[1], '^%d+'), cjson.decode(entry[2][4])
  redis.call('HDEL', p .. ':keys', told[1])
  local reach, names = told[5], {}
  for _, name in ipairs(told[6]) do names[name] = true end
  for _, past in ipairs(told[7]) do
    reach = math.max(reach, past[2])
    for _, name in ipairs(past[1]) do names[name] = true end
  end
  for name in pairs(names) do redis.call('ZREM', p .. ':t:' .. name, id) end
  redis.call('ZREM', p .. ':f:' .. told[4], id)
  redis.call('ZREM', p .. ':s:' .. math.floor(reach * 100), id)
  local text, left = redis.call('HGET', p .. ':filings', told[3]) or '', {}
  for line in string.gmatch(text, '[^\\n]+\\n') do
    if tonumber(string.match(line, '^%d+')) > last then left[#left + 1] = line end
  end
  if #left > 0 then redis.call('HSET', p .. ':filings', told[3], table.concat(left))
  else redis.call('HDEL', p .. ':filings', told[3]) end
end
redis.call('XTRIM', p .. ':log', 'MINID', number(last + 1) .. '-0')
redis.call('HSET', meta, 'oldest', number(last + 1))
return {writes, last - oldest + 1}
"""
)
"""ARGV: guard, 'age' or empty, count or empty, span in ns, share of days, chunk. Returns writes and how many went."""

EPOCH = (
    GUARD
    + """
redis.call('HSET', meta, 'epoch', ARGV[4])
return {writes, ARGV[4]}
"""
)
"""A new epoch: what was numbered after the head that survived is void. ARGV: guard, epoch."""

OWN = (
    GUARD
    + """
redis.call('HSET', meta, 'run', ARGV[4], 'writer', ARGV[5], 'synced', ARGV[6])
return {writes}
"""
)
"""Who writes from now on, to which run of the server. ARGV: guard, run, journal's name, whether writes are synced."""

COMMIT = """
local before = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or -1)
if tonumber(ARGV[2]) > before then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1
"""
"""A consumer's position, which never moves back."""

SCAN = """
local p, asked = ARGV[1], cjson.decode(ARGV[2])
local function number(value) return string.format('%.0f', value) end
local found = redis.call('HMGET', p .. ':meta', 'oldest', 'head')
local oldest, head = tonumber(found[1] or 1), tonumber(found[2] or 0)
local as_of = asked.as_of < 0 and head or asked.as_of
local before = asked.before < 0 and as_of + 1 or asked.before
local first = oldest
if asked.since ~= '' then
  local low, high = oldest, head + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', p .. ':log', number(middle) .. '-0', '+', 'COUNT', 1)[1]
    if entry and entry[2][2] < asked.since then low = middle + 1 else high = middle end
  end
  first = low
end

local tickers, forms = {}, {}
for _, name in ipairs(asked.tickers) do tickers[name] = true end
for _, name in ipairs(asked.forms) do forms[name] = true end
local function meets(names, score)
  if score < asked.score then return false end
  if #asked.tickers == 0 then return true end
  for _, name in ipairs(names) do if tickers[name] then return true end end
  return false
end
local function matches(told)
  if #asked.forms > 0 and not forms[told[4]] then return false end
  if meets(told[6], told[5]) then return true end
  for _, past in ipairs(told[7]) do if meets(past[1], past[2]) then return true end end
  return false
end
local function suits(told)
  if #asked.forms > 0 and not forms[told[4]] then return false end
  if told[5] < asked.score then return false end
  if #asked.tickers == 0 then return true end
  for _, name in ipairs(told[6]) do if tickers[name] then return true end end
  for _, past in ipairs(told[7]) do
    for _, name in ipairs(past[1]) do if tickers[name] then return true end end
  end
  return false
end
local function is_newest(filing, offset)
  local newest = 0
  for at in string.gmatch(redis.call('HGET', p .. ':filings', filing) or '', '(%d+) [^\\n]*\\n') do
    if tonumber(at) <= as_of then newest = math.max(newest, tonumber(at)) end
  end
  return newest == offset
end

-- Which index holds the fewest candidates; none: every record.
local function size(names)
  local total = 0
  for _, name in ipairs(names) do total = total + redis.call('ZCARD', name) end
  return total
end
local sources, least
local function consider(names)
  local total = size(names)
  if not least or total < least then sources, least = names, total end
end
local function keys_of(kind, names)
  local made = {}
  for i, name in ipairs(names) do made[i] = p .. kind .. name end
  return made
end
if #asked.tickers > 0 then consider(keys_of(':t:', asked.tickers)) end
if #asked.forms > 0 then consider(keys_of(':f:', asked.forms)) end
if asked.score > 0 then
  local steps = {}
  for step = math.floor(asked.score * 100), 100 do steps[#steps + 1] = p .. ':s:' .. step end
  consider(steps)
end

-- The next candidates below `before`, newest first.
local function candidates()
  local taken = {}
  if not sources then
    for offset = before - 1, math.max(first, before - 64), -1 do taken[#taken + 1] = offset end
    before = math.max(first, before - 64)
    return taken
  end
  local each, sure = math.max(2, math.floor(128 / #sources)), first
  for _, name in ipairs(sources) do
    local some = redis.call('ZREVRANGEBYSCORE', name, '(' .. number(before), number(first), 'LIMIT', 0, each)
    if #some == each then sure = math.max(sure, tonumber(some[each])) end
    for _, offset in ipairs(some) do taken[#taken + 1] = tonumber(offset) end
  end
  local known, kept = {}, {}
  for _, offset in ipairs(taken) do
    if offset >= sure and not known[offset] then
      known[offset] = true
      kept[#kept + 1] = offset
    end
  end
  table.sort(kept, function(a, b) return a > b end)
  before = sure
  return kept
end

local entries, looked = {}, 0
while before > first and looked < 4000 do
  local batch = candidates()
  for _, offset in ipairs(batch) do
    looked = looked + 1
    local id = number(offset) .. '-0'
    local entry = redis.call('XRANGE', p .. ':log', id, id)[1]
    if entry then
      local told = cjson.decode(entry[2][4])
      local good
      if asked.newest then good = suits(told) and is_newest(told[3], offset) else good = matches(told) end
      if good then entries[#entries + 1] = asked.newest and entry or offset end
      if #entries >= asked.limit then return {entries, 0, as_of} end
    end
  end
end
return {entries, before > first and before or 0, as_of}
"""
"""Newest first, what a query or a filter wants; at most 4,000 records are looked at, then it says where to go on."""
