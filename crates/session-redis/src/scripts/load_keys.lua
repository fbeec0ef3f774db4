on_a_primary()
local keys = {}
for i, id in ipairs(redis.call('SMEMBERS', p .. 'keys')) do
  local row = redis.call('HMGET', signing_key(id), 'purpose', 'algorithm', 'created_at', 'material',
    'is_sealed', 'sealed_under')
  table.insert(row, 1, id)
  keys[i] = row
end
return keys
