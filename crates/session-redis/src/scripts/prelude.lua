-- What every script begins with. ARGV[1] is what all keys begin with; it holds the {tag} that puts
-- them in one hash slot. Times are 20 digits that sort as text, as no number of Lua's has 64 bits.
local p = ARGV[1]

-- Every script begins with one of these two writes that change nothing. A replica refuses them, so
-- nothing is ever read from one. The second is refused as well when the memory is full: after a first
-- write, a server no longer asks whether there is room.
local function on_a_primary() redis.call('DEL', p .. 'nothing') end
local function where_there_is_room() redis.call('SETRANGE', p .. 'nothing', 0, '') end

local FIELDS = {
  'user', 'tenant', 'generation', 'secret_hash', 'refresh_key', 'rotations', 'payload',
  'payload_version', 'data', 'created_at', 'refreshed_at', 'expires_at', 'absolute_expires_at',
  'access_expires_at',
}

local EXPIRING, REVOKED = p .. 'expiring', p .. 'revoked'
local NODES, ACKNOWLEDGED, LEASES = p .. 'nodes', p .. 'acknowledged', p .. 'leases'
local BARRIER = p .. 'barrier'
local REVOCATIONS, FORGETTING = p .. 'revocations', p .. 'forgetting'

local function session(handle) return p .. 's:' .. handle end
local function sessions_of(user) return p .. 'u:' .. user end
local function sessions_in(tenant) return p .. 't:' .. tenant end
local function signing_key(id) return p .. 'k:' .. id end

-- The handle of an entry `time .. handle` in a sorted set whose scores are all 0.
local function handle_in(entry) return string.sub(entry, 21) end

-- The row of a session: its handle and all fields; nil when there is none.
local function read(handle)
  local row = redis.call('HMGET', session(handle), unpack(FIELDS))
  if not row[1] then return nil end
  table.insert(row, 1, handle)
  return row
end

-- Deletes a session's row and what points to it.
local function forget(handle, user, tenant, created_at, expires_at)
  redis.call('DEL', session(handle))
  redis.call('ZREM', sessions_of(user), created_at .. handle)
  redis.call('ZREM', sessions_in(tenant), created_at .. handle)
  redis.call('ZREM', EXPIRING, expires_at .. handle)
end

-- Takes a node out of the registry.
local function forget_node(id)
  redis.call('HDEL', NODES, id)
  redis.call('HDEL', ACKNOWLEDGED, id)
  redis.call('ZREM', LEASES, id)
end

-- Unix milliseconds, which a number holds exactly.
local function now_ms()
  local now = redis.call('TIME')
  return tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
end

-- Who this server's memory is: made when it is first asked, and gone when the memory is.
local function epoch()
  local known = redis.call('GET', p .. 'epoch')
  if known then return known end
  local now = redis.call('TIME')
  local fresh = now[1] .. string.format('%06d', now[2])
  redis.call('SET', p .. 'epoch', fresh)
  return fresh
end
