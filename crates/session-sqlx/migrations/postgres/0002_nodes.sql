-- Which nodes serve these sessions, and how much of what was revoked each has heard of.
--
-- An addition: processes that do not know these tables go on beside those that do.

CREATE TABLE session_nodes (
    -- One run of a node, and what its operator calls it.
    id               TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    name             TEXT   NOT NULL,
    -- The barrier before whose raising everything that was revoked is known to the node.
    acknowledged     BIGINT NOT NULL,
    -- On this server's clock.
    lease_ends_at_ms BIGINT NOT NULL
);

-- One row, which whoever waits for a revocation to be known everywhere counts up.
CREATE TABLE session_barrier (
    id     BIGINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
);
