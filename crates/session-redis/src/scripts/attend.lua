-- ARGV: id, name, acknowledged, lease in milliseconds.
on_a_primary()
local id, acknowledged = ARGV[2], ARGV[4]
local known = redis.call('HGET', ACKNOWLEDGED, id)
if known and known > acknowledged then acknowledged = known end
redis.call('HSET', NODES, id, ARGV[3])
redis.call('HSET', ACKNOWLEDGED, id, acknowledged)
redis.call('ZADD', LEASES, string.format('%.0f', now_ms() + tonumber(ARGV[5])), id)
return 'attending'
