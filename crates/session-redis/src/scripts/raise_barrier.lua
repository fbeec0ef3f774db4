on_a_primary()
local last = tonumber(redis.call('GET', BARRIER) or '0')
local barrier = string.format('%.0f', math.max(last + 1, now_ms()))
redis.call('SET', BARRIER, barrier)
return barrier
