#!lua name=moves
-- What a server does for a slot: all checks stand in the function that acts, so that nothing comes between.
-- A line that ends in a remark "safeguard" is left out where the example shows what it is good for.
--
-- s:SLOT   hash   epoch, role (owner, sealed; target, closed; gone), number (the last one given to a write)
-- d:SLOT:KEY  hash   version, dead (1 for a tombstone), value
-- i:SLOT   sorted set, all of score 0   the keys, tombstones too: pages go by key, never by offset

local function text(number) return string.format('%.0f', number) end  -- tostring() rounds to 14 digits

local function fence(slot)
  local found = redis.call('HMGET', 's:' .. slot, 'epoch', 'role')
  return tonumber(found[1] or '-1'), found[2] or 'gone'
end

local function stale(epoch) return redis.error_reply('STALE the fence is at ' .. text(epoch)) end

local function get(slot, key)
  local found = redis.call('HMGET', 'd:' .. slot .. ':' .. key, 'version', 'dead', 'value')
  return tonumber(found[1] or '-1'), found[2] == '1', found[3]
end

local function put(slot, key, version, dead, value)
  redis.call('ZADD', 'i:' .. slot, 0, key)
  redis.call('HSET', 'd:' .. slot .. ':' .. key, 'version', text(version), 'dead', dead and 1 or 0, 'value', value or '')
end

local function forget(slot, key)
  redis.call('ZREM', 'i:' .. slot, key)
  redis.call('DEL', 'd:' .. slot .. ':' .. key)
end

local function page(slot, after, count)
  local from = after == '' and '-' or '(' .. after
  return redis.call('ZRANGE', 'i:' .. slot, from, '+', 'BYLEX', 'LIMIT', 0, count)
end

-- What an operation makes of a value: whether it writes, the new value (nil: deleted), its answer.
local changes = {
  write = function(old, argument) return true, argument, 1 end,
  delete = function(old) return true, nil, 1 end,
  add = function(old, argument) return true, text(tonumber(old or '0') + tonumber(argument)), 1 end,
  append = function(old, argument)
    local items = old and cjson.decode(old) or {}
    items[#items + 1] = argument
    return true, cjson.encode(items), 1
  end,
  cas = function(old, argument)
    local wanted = cjson.decode(argument)
    if old ~= wanted[1] then return false, nil, 0 end
    return true, wanted[2], 1
  end,
}

-- A client writes: SLOT EPOCH KEY OPERATION ARGUMENT. Answers: its answer, and what it has written, to be sent on.
redis.register_function('change', function(keys, words)
  local slot, epoch, key = words[1], tonumber(words[2]), words[3]
  local at, role = fence(slot)
  if epoch ~= at then return stale(at) end  -- safeguard: fence
  if role == 'sealed' then return redis.error_reply('WAIT the slot is sealed') end
  if role ~= 'owner' then return stale(at) end  -- safeguard: fence
  local _, dead, old = get(slot, key)
  if dead or not old then old = nil end
  local writes, value, answer = changes[words[4]](old, words[5])
  if not writes then return {answer} end
  local number = redis.call('HINCRBY', 's:' .. slot, 'number', 1)
  local version = at * 4294967296 + number  -- an epoch of its own for each server that ever gives one
  local document = {answer, text(version), value and 0 or 1, value or ''}
  if not value then forget(slot, key) return document end  -- instead of: tombstones
  put(slot, key, version, not value, value)
  return document
end)

-- A client reads: SLOT EPOCH KEY. A list of the value, empty if there is none.
redis.register_function('look', function(keys, words)
  local slot, epoch = words[1], tonumber(words[2])
  local at, role = fence(slot)
  if epoch ~= at or (role ~= 'owner' and role ~= 'sealed') then return stale(at) end  -- safeguard: fence
  local _, dead, value = get(slot, words[3])
  if dead or not value then return {} end
  return {value}
end)

-- Documents from the owner: SLOT EPOCH (KEY VERSION DEAD VALUE)... How many were newer than what was here.
redis.register_function('apply', function(keys, words)
  local slot, epoch, newer = words[1], tonumber(words[2]), 0
  local at, role = fence(slot)
  if epoch < at then return stale(at) end
  for i = 3, #words, 4 do
    local key, version, dead = words[i], tonumber(words[i + 1]), words[i + 2] == '1'
    local here = get(slot, key)
    if version > here then
      newer = newer + 1
      if dead then forget(slot, key) else  -- instead of: tombstones
      put(slot, key, version, dead, words[i + 3])
      end  -- instead of: tombstones
    end
  end
  return newer
end)

-- A page of documents, tombstones too: SLOT EPOCH AFTER COUNT. KEY VERSION DEAD VALUE of each.
redis.register_function('page', function(keys, words)
  local slot, documents = words[1], {}
  local at = fence(slot)
  if tonumber(words[2]) < at then return stale(at) end
  for _, key in ipairs(page(slot, words[3], words[4])) do
    local version, dead, value = get(slot, key)
    for _, part in ipairs({key, text(version), dead and '1' or '0', value}) do documents[#documents + 1] = part end
  end
  return documents
end)

-- Raise the fence: SLOT EPOCH ROLE. A new target is empty from then on. May be repeated, and come late.
redis.register_function('fence', function(keys, words)
  local slot, epoch, role = words[1], tonumber(words[2]), words[3]
  local at = fence(slot)
  if epoch < at then return stale(at) end
  if epoch == at then return 0 end
  if role == 'target' then
    for _, key in ipairs(page(slot, '', -1)) do forget(slot, key) end
  end
  redis.call('HSET', 's:' .. slot, 'epoch', text(epoch), 'role', role)
  return 1
end)

-- Delete documents of a server that does not have the slot any more: SLOT EPOCH COUNT. How many. The fence stays.
redis.register_function('drop', function(keys, words)
  local slot, epoch = words[1], tonumber(words[2])
  local at, role = fence(slot)
  if epoch ~= at or role ~= 'gone' then return stale(at) end  -- safeguard: cleanup
  local some = page(slot, '', words[3])
  for _, key in ipairs(some) do forget(slot, key) end
  return #some
end)

-- Forget tombstones, when no move is under way and none of an older epoch can arrive: SLOT EPOCH. How many.
redis.register_function('collect', function(keys, words)
  local slot, epoch, collected = words[1], tonumber(words[2]), 0
  local at, role = fence(slot)
  if epoch ~= at or role ~= 'owner' then return stale(at) end
  for _, key in ipairs(page(slot, '', -1)) do
    local _, dead = get(slot, key)
    if dead then forget(slot, key) collected = collected + 1 end
  end
  return collected
end)

-- Change the record of a slot, r:SLOT: SLOT REVISION STAGE (FIELD VALUE)... The epoch rises to the next of that stage,
-- as the record is now; a stage of -1 leaves it. Answers the new revision.
redis.register_function('record', function(keys, words)
  local record, stage = 'r:' .. words[1], tonumber(words[3])
  local found = redis.call('HMGET', record, 'revision', 'epoch')
  local revision, epoch = tonumber(found[1] or '0'), tonumber(found[2] or '0')
  if revision ~= tonumber(words[2]) then return redis.error_reply('CONFLICT the revision is ' .. revision) end  -- safeguard: record
  if stage >= 0 then
    local next = epoch - epoch % 4 + stage
    if next <= epoch then next = next + 4 end
    redis.call('HSET', record, 'epoch', text(next))
  end
  for i = 4, #words, 2 do redis.call('HSET', record, words[i], words[i + 1]) end
  return redis.call('HINCRBY', record, 'revision', 1)
end)
