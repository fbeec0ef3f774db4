-- Sessions, their revocations and the keys.
--
-- Every time is in Unix milliseconds. Identifiers are bytes (VARBINARY), so they are equal when
-- their bytes are: the collations that these databases come with take Ann, ann and "ann " for one.
-- 64-bit counters are kept as the signed integer of the same bits. Each statement may be repeated,
-- as none of them can be undone.

CREATE TABLE IF NOT EXISTS session_sessions (
    handle                 VARBINARY(128) NOT NULL PRIMARY KEY,
    tenant                 VARBINARY(64)  NOT NULL,
    user_id                VARBINARY(256) NOT NULL,
    -- How many rotations led to the current refresh token, and SHA-256 of that token's secret.
    generation             BIGINT         NOT NULL,
    secret_hash            VARBINARY(32)  NOT NULL,
    -- The id of the key that the current refresh token was made under.
    refresh_key            VARBINARY(64)  NOT NULL,
    -- The last eight rotations, `generation,at_ms,key` joined by a space.
    rotations              VARBINARY(1024) NOT NULL,
    -- JSON objects, kept byte for byte.
    payload                LONGBLOB       NOT NULL,
    payload_version        BIGINT         NOT NULL,
    data                   LONGBLOB       NOT NULL,
    created_at_ms          BIGINT         NOT NULL,
    refreshed_at_ms        BIGINT         NOT NULL,
    expires_at_ms          BIGINT         NOT NULL,
    absolute_expires_at_ms BIGINT,
    -- The latest expiry of all access tokens ever issued for the session.
    access_expires_at_ms   BIGINT         NOT NULL,
    INDEX by_user (user_id, created_at_ms, handle),
    INDEX by_tenant (tenant, created_at_ms, handle),
    INDEX by_expiry (expires_at_ms)
) ENGINE = InnoDB;

-- What the blacklist must remember until every access token of the session has expired. Numbers are
-- given out before the commit; whoever reads what is new must come back for those that are missing.
CREATE TABLE IF NOT EXISTS session_revocations (
    number        BIGINT         NOT NULL AUTO_INCREMENT PRIMARY KEY,
    handle        VARBINARY(128) NOT NULL UNIQUE,
    expires_at_ms BIGINT         NOT NULL,
    INDEX by_expiry (expires_at_ms)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS session_keys (
    id            VARBINARY(64)  NOT NULL PRIMARY KEY,
    -- `access-dynamic`, `access-static` or `refresh`.
    purpose       VARBINARY(32)  NOT NULL,
    algorithm     VARBINARY(32)  NOT NULL,
    created_at_ms BIGINT         NOT NULL,
    -- Encrypted under the at-rest secret that `sealed_under` names; in the clear where it is NULL.
    material      BLOB           NOT NULL,
    sealed_under  VARBINARY(1024)
) ENGINE = InnoDB;
