-- ARGV: handle, generation it must have, time of the rotation, then what is written: generation,
-- secret's hash, refresh key, rotations, expiry, expiry of the access token.
on_a_primary()
local handle, at = ARGV[2], ARGV[4]
local row = redis.call('HMGET', session(handle), 'generation', 'expires_at', 'access_expires_at')
if row[1] ~= ARGV[3] or row[2] <= at then return 0 end
local access_expires_at = ARGV[10]
if row[3] > access_expires_at then access_expires_at = row[3] end
redis.call('HSET', session(handle), 'generation', ARGV[5], 'secret_hash', ARGV[6],
  'refresh_key', ARGV[7], 'rotations', ARGV[8], 'refreshed_at', at, 'expires_at', ARGV[9],
  'access_expires_at', access_expires_at)
redis.call('ZREM', EXPIRING, row[2] .. handle)
redis.call('ZADD', EXPIRING, 0, ARGV[9] .. handle)
return 1
