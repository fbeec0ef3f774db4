-- ARGV: handle, then the fields in order.
where_there_is_room()
local handle = ARGV[2]
if redis.call('EXISTS', session(handle)) == 1 or redis.call('HEXISTS', REVOKED, handle) == 1 then
  return 0
end
local row, by_name = {}, {}
for i, field in ipairs(FIELDS) do
  row[2 * i - 1], row[2 * i] = field, ARGV[i + 2]
  by_name[field] = ARGV[i + 2]
end
redis.call('HSET', session(handle), unpack(row))
redis.call('ZADD', sessions_of(by_name.user), 0, by_name.created_at .. handle)
redis.call('ZADD', sessions_in(by_name.tenant), 0, by_name.created_at .. handle)
redis.call('ZADD', EXPIRING, 0, by_name.expires_at .. handle)
return 1
