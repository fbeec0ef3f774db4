-- ARGV: now, limit, the entry to go on after or nothing, kind of scope, then its parts.
on_a_primary()
local now, limit, from = ARGV[2], tonumber(ARGV[3]), '-'
if ARGV[4] ~= '' then from = '(' .. ARGV[4] end

local kind, index, tenant, except = ARGV[5], nil, false, ''
if kind == 'handles' then
  -- Sorted by the server, which compares bytes; Lua compares as the locale does.
  index = p .. 'sorting'
  for i = 6, #ARGV do
    local created_at = redis.call('HGET', session(ARGV[i]), 'created_at')
    if created_at then redis.call('ZADD', index, 0, created_at .. ARGV[i]) end
  end
elseif kind == 'user' then
  index, tenant, except = sessions_of(ARGV[6]), ARGV[7] ~= '' and ARGV[7], ARGV[8]
else
  index = sessions_in(ARGV[6])
end

local rows = {}
while #rows < limit do
  local entries = redis.call('ZRANGEBYLEX', index, from, '+', 'LIMIT', 0, 100)
  if #entries == 0 then break end
  for _, entry in ipairs(entries) do
    local handle = handle_in(entry)
    local shown = handle ~= except and read(handle)
    -- In the order of FIELDS, after the handle: the tenant is third and the expiry thirteenth.
    if shown and shown[13] > now and (not tenant or shown[3] == tenant) then
      rows[#rows + 1] = shown
      if #rows == limit then break end
    end
  end
  from = '(' .. entries[#entries]
end
if kind == 'handles' then redis.call('DEL', index) end
return rows
