-- ARGV: handle.
on_a_primary()
return read(ARGV[2]) or false
