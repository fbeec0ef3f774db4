on_a_primary()
return redis.call('GET', BARRIER) or '0'
