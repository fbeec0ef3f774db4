//! What differs from one database to the next: statement text, error codes and settings.

use sqlx::Sqlite;

pub(crate) mod sqlite;

/// The database that the crate is built for.
pub(crate) type Db = Sqlite;

/// The text of every statement; the parameters of each are bound in the order that its field names.
#[derive(Debug)]
pub(crate) struct Statements {
    /// All columns of a session in their order, then the handle again. No row when it is taken.
    pub(crate) create: &'static str,
    /// handle
    pub(crate) get: &'static str,
    /// to generation, secret hash, refresh key, rotations, at, expiry, access expiry, handle, from
    /// generation, at
    pub(crate) rotate: &'static str,
    /// next version, payload, handle, expected version
    pub(crate) update_payload: &'static str,
    /// data, handle
    pub(crate) update_data: &'static str,
    /// the scope; returns handle and access expiry
    pub(crate) delete: ByScope,
    /// JSON list of `[handle, expiry]`
    pub(crate) record: &'static str,
    /// the scope, now, creation time and handle to begin after, limit
    pub(crate) list: ByScope,
    /// cursor, now, limit
    pub(crate) revocations_since: &'static str,
    /// nothing
    pub(crate) load_keys: &'static str,
    /// id, purpose, algorithm, creation time, material, at-rest name, purpose, unless newer than
    pub(crate) insert_key: &'static str,
    /// material, at-rest name, id
    pub(crate) reseal_key: &'static str,
    /// id
    pub(crate) remove_key: &'static str,
    /// now, limit, now
    pub(crate) purge_sessions: &'static str,
    /// now, limit, now
    pub(crate) purge_revocations: &'static str,
    /// Whether this is a database in which nothing was ever migrated: one row when it is not.
    pub(crate) find_schema: &'static str,
    /// nothing; makes the table of the schema's version
    pub(crate) create_schema: &'static str,
    /// nothing; one row with the version, or NULL
    pub(crate) schema_version: &'static str,
    /// version
    pub(crate) record_schema: &'static str,
}

/// One statement for each kind of scope. Bound are the JSON list of handles; the user, the tenant
/// or NULL and the spared handle or NULL; the tenant.
#[derive(Debug)]
pub(crate) struct ByScope {
    pub(crate) handles: &'static str,
    pub(crate) user: &'static str,
    pub(crate) tenant: &'static str,
}
