-- Which nodes serve these sessions, and how much of what was revoked each has heard of.
--
-- An addition: processes that do not know these tables go on beside those that do. Each statement
-- may be repeated, as none of them can be undone.

CREATE TABLE IF NOT EXISTS session_nodes (
    -- One run of a node, and what its operator calls it.
    id               VARBINARY(64)  NOT NULL PRIMARY KEY,
    name             VARBINARY(128) NOT NULL,
    -- The barrier before whose raising everything that was revoked is known to the node.
    acknowledged     BIGINT         NOT NULL,
    -- On this server's clock.
    lease_ends_at_ms BIGINT         NOT NULL
) ENGINE = InnoDB;

-- One row, which whoever waits for a revocation to be known everywhere counts up.
CREATE TABLE IF NOT EXISTS session_barrier (
    id     BIGINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
) ENGINE = InnoDB;
