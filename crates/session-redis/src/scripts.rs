//! The scripts: every operation but the look at a session is one, which the server runs from start
//! to end with nobody else in between.

use redis::Script;

/// All scripts, ready to be called by their digests.
pub(crate) struct Scripts {
    pub(crate) create: Script,
    pub(crate) rotate: Script,
    pub(crate) update_payload: Script,
    pub(crate) update_data: Script,
    pub(crate) revoke: Script,
    pub(crate) list: Script,
    pub(crate) revocations_since: Script,
    pub(crate) load_keys: Script,
    pub(crate) insert_key: Script,
    pub(crate) reseal_key: Script,
    pub(crate) remove_key: Script,
    pub(crate) purge_expired: Script,
    pub(crate) attend: Script,
    pub(crate) leave: Script,
    pub(crate) attending: Script,
    pub(crate) barrier: Script,
    pub(crate) raise_barrier: Script,
    pub(crate) clock: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            create: script(include_str!("scripts/create.lua")),
            rotate: script(include_str!("scripts/rotate.lua")),
            update_payload: script(include_str!("scripts/update_payload.lua")),
            update_data: script(include_str!("scripts/update_data.lua")),
            revoke: script(include_str!("scripts/revoke.lua")),
            list: script(include_str!("scripts/list.lua")),
            revocations_since: script(include_str!("scripts/revocations_since.lua")),
            load_keys: script(include_str!("scripts/load_keys.lua")),
            insert_key: script(include_str!("scripts/insert_key.lua")),
            reseal_key: script(include_str!("scripts/reseal_key.lua")),
            remove_key: script(include_str!("scripts/remove_key.lua")),
            purge_expired: script(include_str!("scripts/purge_expired.lua")),
            attend: script(include_str!("scripts/attend.lua")),
            leave: script(include_str!("scripts/leave.lua")),
            attending: script(include_str!("scripts/attending.lua")),
            barrier: script(include_str!("scripts/barrier.lua")),
            raise_barrier: script(include_str!("scripts/raise_barrier.lua")),
            clock: script(include_str!("scripts/clock.lua")),
        }
    }
}

fn script(body: &str) -> Script {
    Script::new(&format!("{}\n{body}", include_str!("scripts/prelude.lua")))
}
