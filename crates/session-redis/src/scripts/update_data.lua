-- ARGV: handle, data.
where_there_is_room()
if redis.call('EXISTS', session(ARGV[2])) == 0 then return 'gone' end
redis.call('HSET', session(ARGV[2]), 'data', ARGV[3])
return 'updated'
