//! What is told over the channel: a list of handles, each with the end of its record.

use std::time::SystemTime;

use session_core::{
    SessionHandle,
    clock::unix_ms,
    config::defaults::{ACCESS_TOKEN_LIFETIME_RANGE, REVOCATION_SKEW_RANGE},
    store::RevokedSession,
};

/// The most sessions that a message names.
pub(crate) const SESSIONS_PER_MESSAGE: usize = 1_000;

pub(crate) fn write(revoked: &[RevokedSession]) -> Vec<u8> {
    let list: serde_json::Value = revoked
        .iter()
        .map(|session| serde_json::json!([session.handle.as_str(), session.expires_at_ms]))
        .collect();
    list.to_string().into_bytes()
}

/// The sessions that a message names; none when it is not one of ours, or too long.
///
/// Whoever can write to the server can forge one. No record of ours ends later than the longest access
/// token made now, so a longer one is cut: it would never leave the set of revoked sessions again.
pub(crate) fn read(message: &[u8], now: SystemTime) -> Vec<RevokedSession> {
    let longest = ACCESS_TOKEN_LIFETIME_RANGE
        .end()
        .saturating_add(*REVOCATION_SKEW_RANGE.end());
    let latest = now.checked_add(longest).map_or(i64::MAX, unix_ms);
    let list: Vec<(String, i64)> = match serde_json::from_slice(message) {
        Ok(list) if message.len() <= MOST_BYTES => list,
        _ => {
            tracing::warn!(
                "a message about revocations makes no sense: is the channel ours alone?"
            );
            return Vec::new();
        }
    };
    list.into_iter()
        .take(SESSIONS_PER_MESSAGE)
        .filter_map(|(handle, expires_at_ms)| {
            Some(RevokedSession {
                handle: SessionHandle::try_from(handle).ok()?,
                expires_at_ms: expires_at_ms.min(latest),
            })
        })
        .collect()
}

/// A message of ours with the longest handles, each byte of which JSON may write as six.
const MOST_BYTES: usize = SESSIONS_PER_MESSAGE * (6 * SessionHandle::MAX_BYTES + 32);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use session_core::clock::from_unix_ms;

    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    fn revoked(handle: &str, expires_at_ms: i64) -> RevokedSession {
        RevokedSession {
            handle: SessionHandle::try_from(handle).unwrap(),
            expires_at_ms,
        }
    }

    /// I11: a handle is text like any other, whatever is in it.
    #[test]
    fn what_is_written_is_read() {
        let handles = ["a", "\"],[\"b\",9]", "\r\n*1\r\n", "\u{1f511}", "\u{1}"];
        let mut list: Vec<_> = handles.map(|handle| revoked(handle, NOW_MS + 5)).into();
        list.push(revoked(&"\u{1}".repeat(SessionHandle::MAX_BYTES), -1));
        assert_eq!(read(&write(&list), from_unix_ms(NOW_MS)), list);
        let full = vec![list[5].clone(); SESSIONS_PER_MESSAGE];
        assert_eq!(read(&write(&full), from_unix_ms(NOW_MS)), full);
    }

    /// I5: what is not ours says nothing.
    #[test]
    fn a_message_without_sense_names_nobody() {
        let mut huge = b"[[\"a\",1]]".to_vec();
        huge.extend(vec![b' '; MOST_BYTES]);
        for message in [
            &b""[..],
            b"\xff\xfe",
            b"null",
            b"[\"a\"]",
            b"[[\"a\",\"b\"]]",
            b"[[\"a\",1e300]]",
            b"[[\"\",1],[\"a\\u0000\",1]]",
            &huge,
        ] {
            assert_eq!(read(message, from_unix_ms(NOW_MS)), []);
        }
    }

    /// I5, I14: no message takes a place in the set for longer than a token could serve.
    #[test]
    fn a_record_that_never_ends_is_cut() {
        let forged = write(&[revoked("a", i64::MAX)]);
        let month = Duration::from_hours(31 * 24);
        let read = read(&forged, from_unix_ms(NOW_MS));
        assert!(read[0].expires_at_ms < unix_ms(from_unix_ms(NOW_MS) + month));
    }
}
