-- Sessions, their revocations and the keys.
--
-- Every time is in Unix milliseconds. Identifiers compare byte by byte (COLLATE "C"), so they are
-- equal when their bytes are. 64-bit counters are kept as the signed integer of the same bits.

CREATE TABLE session_sessions (
    handle                 TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    tenant                 TEXT   COLLATE "C" NOT NULL,
    user_id                TEXT   COLLATE "C" NOT NULL,
    -- How many rotations led to the current refresh token, and SHA-256 of that token's secret.
    generation             BIGINT NOT NULL,
    secret_hash            BYTEA  NOT NULL,
    -- The id of the key that the current refresh token was made under.
    refresh_key            TEXT   COLLATE "C" NOT NULL,
    -- The last eight rotations, `generation,at_ms,key` joined by a space.
    rotations              TEXT   NOT NULL,
    -- JSON objects, kept byte for byte.
    payload                TEXT   NOT NULL,
    payload_version        BIGINT NOT NULL,
    data                   TEXT   NOT NULL,
    created_at_ms          BIGINT NOT NULL,
    refreshed_at_ms        BIGINT NOT NULL,
    expires_at_ms          BIGINT NOT NULL,
    absolute_expires_at_ms BIGINT,
    -- The latest expiry of all access tokens ever issued for the session.
    access_expires_at_ms   BIGINT NOT NULL
);

CREATE INDEX session_sessions_by_user ON session_sessions (user_id, created_at_ms, handle);
CREATE INDEX session_sessions_by_tenant ON session_sessions (tenant, created_at_ms, handle);
CREATE INDEX session_sessions_by_expiry ON session_sessions (expires_at_ms);

-- What the blacklist must remember until every access token of the session has expired. Numbers are
-- given out before the commit; whoever reads what is new goes by the transaction that wrote it.
CREATE TABLE session_revocations (
    number        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle        TEXT   COLLATE "C" NOT NULL UNIQUE,
    expires_at_ms BIGINT NOT NULL,
    written_by    XID8   NOT NULL DEFAULT pg_current_xact_id()
);

CREATE INDEX session_revocations_by_transaction ON session_revocations (written_by, number);
CREATE INDEX session_revocations_by_expiry ON session_revocations (expires_at_ms);

CREATE TABLE session_keys (
    id            TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    -- `access-dynamic`, `access-static` or `refresh`.
    purpose       TEXT   NOT NULL,
    algorithm     TEXT   NOT NULL,
    created_at_ms BIGINT NOT NULL,
    -- Encrypted under the at-rest secret that `sealed_under` names; in the clear where it is NULL.
    material      BYTEA  NOT NULL,
    sealed_under  TEXT
);
