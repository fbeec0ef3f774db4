-- ARGV: id.
on_a_primary()
if redis.call('SREM', p .. 'keys', ARGV[2]) == 0 then return 'gone' end
redis.call('DEL', signing_key(ARGV[2]))
return 'updated'
