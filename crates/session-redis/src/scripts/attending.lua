on_a_primary()
local nodes = {}
local after = '(' .. string.format('%.0f', now_ms())
for i, id in ipairs(redis.call('ZRANGEBYSCORE', LEASES, after, '+inf')) do
  nodes[i] = { id, redis.call('HGET', NODES, id), redis.call('HGET', ACKNOWLEDGED, id) }
end
return nodes
