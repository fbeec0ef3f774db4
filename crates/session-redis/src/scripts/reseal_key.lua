-- ARGV: id, material, whether it is sealed, under what.
on_a_primary()
if redis.call('SISMEMBER', p .. 'keys', ARGV[2]) == 0 then return 'gone' end
redis.call('HSET', signing_key(ARGV[2]), 'material', ARGV[3], 'is_sealed', ARGV[4],
  'sealed_under', ARGV[5])
return 'updated'
