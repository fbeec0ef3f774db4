-- ARGV: skew, earliest end, kind of scope, then its parts. Answers handles and the ends of their records.
on_a_primary()
local LATEST = '18446744073709551615'

-- The sum of two numbers of 20 digits, in halves that Lua's numbers hold exactly.
local function plus(a, b)
  local low = tonumber(string.sub(a, 11)) + tonumber(string.sub(b, 11))
  local high = tonumber(string.sub(a, 1, 10)) + tonumber(string.sub(b, 1, 10))
  if low >= 1e10 then low, high = low - 1e10, high + 1 end
  local sum = string.format('%010.0f%010.0f', high, low)
  if sum > LATEST then return LATEST end
  return sum
end

epoch()
local skew, earliest, kind = ARGV[2], ARGV[3], ARGV[4]
local ended = {}

local function revoke(handle, tenant)
  local row = redis.call('HMGET', session(handle), 'user', 'tenant', 'created_at', 'expires_at',
    'access_expires_at')
  if not row[1] or (tenant and row[2] ~= tenant) then return end
  local ends = plus(row[5], skew)
  if ends < earliest then ends = earliest end
  forget(handle, row[1], row[2], row[3], row[4])
  local place = redis.call('XADD', REVOCATIONS, '*', 'handle', handle, 'ends', ends)
  redis.call('HSET', REVOKED, handle, place)
  redis.call('ZADD', FORGETTING, 0, ends .. handle)
  ended[#ended + 1], ended[#ended + 2] = handle, ends
end

if kind == 'handles' then
  for i = 5, #ARGV do revoke(ARGV[i]) end
elseif kind == 'user' then
  -- ARGV: user, tenant or nothing, the session that is spared or nothing.
  local tenant = ARGV[6] ~= '' and ARGV[6]
  for _, entry in ipairs(redis.call('ZRANGE', sessions_of(ARGV[5]), 0, -1)) do
    local handle = handle_in(entry)
    if handle ~= ARGV[7] then revoke(handle, tenant) end
  end
else
  for _, entry in ipairs(redis.call('ZRANGE', sessions_in(ARGV[5]), 0, -1)) do
    revoke(handle_in(entry))
  end
end
return ended
