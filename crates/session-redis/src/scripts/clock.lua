on_a_primary()
return redis.call('TIME')
