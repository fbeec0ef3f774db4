-- Which nodes serve these sessions, and how much of what was revoked each has heard of.
--
-- An addition: processes that do not know these tables go on beside those that do.

CREATE TABLE session_nodes (
    -- One run of a node, and what its operator calls it.
    id               TEXT    NOT NULL PRIMARY KEY,
    name             TEXT    NOT NULL,
    -- The barrier before whose raising everything that was revoked is known to the node.
    acknowledged     INTEGER NOT NULL,
    -- On this machine's clock.
    lease_ends_at_ms INTEGER NOT NULL
) STRICT;

-- One row, which whoever waits for a revocation to be known everywhere counts up.
CREATE TABLE session_barrier (
    id     INTEGER NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT;
