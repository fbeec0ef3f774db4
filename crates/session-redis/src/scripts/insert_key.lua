-- ARGV: id, purpose, algorithm, time of making, material, whether it is sealed, under what, and
-- the time after which none of its purpose may have been made.
where_there_is_room()
local id, purpose = ARGV[2], ARGV[3]
for _, other in ipairs(redis.call('SMEMBERS', p .. 'keys')) do
  local row = redis.call('HMGET', signing_key(other), 'purpose', 'created_at')
  if other == id or (row[1] == purpose and row[2] > ARGV[9]) then return 0 end
end
redis.call('SADD', p .. 'keys', id)
redis.call('HSET', signing_key(id), 'purpose', purpose, 'algorithm', ARGV[4], 'created_at', ARGV[5],
  'material', ARGV[6], 'is_sealed', ARGV[7], 'sealed_under', ARGV[8])
return 1
