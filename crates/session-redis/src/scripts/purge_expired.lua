-- ARGV: now, limit.
-- No handle has the byte 255, so that this is behind every entry of the time `now`.
on_a_primary()
local to, limit = '[' .. ARGV[2] .. '\255', ARGV[3]
local expired = redis.call('ZRANGEBYLEX', EXPIRING, '-', to, 'LIMIT', 0, limit)
for _, entry in ipairs(expired) do
  local handle = handle_in(entry)
  local row = redis.call('HMGET', session(handle), 'user', 'tenant', 'created_at')
  forget(handle, row[1], row[2], row[3], string.sub(entry, 1, 20))
end
local forgotten = redis.call('ZRANGEBYLEX', FORGETTING, '-', to, 'LIMIT', 0, limit)
for _, entry in ipairs(forgotten) do
  local handle = handle_in(entry)
  redis.call('XDEL', REVOCATIONS, redis.call('HGET', REVOKED, handle))
  redis.call('HDEL', REVOKED, handle)
  redis.call('ZREM', FORGETTING, entry)
end
local over = string.format('%.0f', now_ms())
for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', over)) do forget_node(id) end
return { #expired, #forgotten }
