-- ARGV: handle, version it must have, next version, payload.
where_there_is_room()
local version = redis.call('HGET', session(ARGV[2]), 'payload_version')
if not version then return 'gone' end
if version ~= ARGV[3] then return 'conflict' end
redis.call('HSET', session(ARGV[2]), 'payload_version', ARGV[4], 'payload', ARGV[5])
return 'updated'
