-- Sessions, their revocations and the keys.
--
-- Every time is in Unix milliseconds. Text columns compare byte by byte (BINARY, SQLite's default),
-- so identifiers are equal when their bytes are. 64-bit counters are kept as the signed integer of
-- the same bits.

CREATE TABLE session_sessions (
    handle                 TEXT    NOT NULL PRIMARY KEY,
    tenant                 TEXT    NOT NULL,
    user_id                TEXT    NOT NULL,
    -- How many rotations led to the current refresh token, and SHA-256 of that token's secret.
    generation             INTEGER NOT NULL,
    secret_hash            BLOB    NOT NULL,
    -- The id of the key that the current refresh token was made under.
    refresh_key            TEXT    NOT NULL,
    -- The last eight rotations, `generation,at_ms,key` joined by a space.
    rotations              TEXT    NOT NULL,
    -- JSON objects, kept byte for byte.
    payload                TEXT    NOT NULL,
    payload_version        INTEGER NOT NULL,
    data                   TEXT    NOT NULL,
    created_at_ms          INTEGER NOT NULL,
    refreshed_at_ms        INTEGER NOT NULL,
    expires_at_ms          INTEGER NOT NULL,
    absolute_expires_at_ms INTEGER,
    -- The latest expiry of all access tokens ever issued for the session.
    access_expires_at_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX session_sessions_by_user ON session_sessions (user_id, created_at_ms, handle);
CREATE INDEX session_sessions_by_tenant ON session_sessions (tenant, created_at_ms, handle);
CREATE INDEX session_sessions_by_expiry ON session_sessions (expires_at_ms);

-- What the blacklist must remember until every access token of the session has expired. The number
-- is the order of the commits, as writers take turns, and AUTOINCREMENT never gives one out twice.
CREATE TABLE session_revocations (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    handle        TEXT    NOT NULL UNIQUE,
    expires_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX session_revocations_by_expiry ON session_revocations (expires_at_ms);

CREATE TABLE session_keys (
    id            TEXT    NOT NULL PRIMARY KEY,
    -- `access-dynamic`, `access-static` or `refresh`.
    purpose       TEXT    NOT NULL,
    algorithm     TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    -- Encrypted under the at-rest secret that `sealed_under` names; in the clear where it is NULL.
    material      BLOB    NOT NULL,
    sealed_under  TEXT
) STRICT;
