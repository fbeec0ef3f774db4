-- ARGV: limit, then the place: epoch, server's run, first entry. Answers the epoch, the run, and
-- the entries; from the first entry on when the place is one of another memory or another run, whose
-- entries may have had other places.
on_a_primary()
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
-- Sixteen of its digits tell runs apart.
run = string.sub(run, 1, 16)
local now, from = epoch(), '-'
if now == ARGV[3] and run == ARGV[4] then from = ARGV[5] end
local entries = {}
-- Asked for none, the server answers nothing rather than an empty list.
local read_on = redis.call('XRANGE', REVOCATIONS, from, '+', 'COUNT', ARGV[2]) or {}
for i, entry in ipairs(read_on) do
  entries[i] = { entry[1], entry[2][2], entry[2][4] }
end
return { now, run, entries }
