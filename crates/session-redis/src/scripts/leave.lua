-- ARGV: id.
on_a_primary()
forget_node(ARGV[2])
return 'gone'
