//! What is told over the channel: a list of handles, each with the end of its record.

use session_core::{SessionHandle, store::RevokedSession};

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
pub(crate) fn read(message: &[u8]) -> Vec<RevokedSession> {
    // Somebody else's may be hundreds of megabytes: it is not even looked into.
    let list = (message.len() <= MOST_BYTES).then(|| serde_json::from_slice(message));
    let Some(Ok(list)) = list else {
        tracing::warn!("a message about revocations makes no sense: is the channel ours alone?");
        return Vec::new();
    };
    let list: Vec<(String, i64)> = list;
    list.into_iter()
        .take(SESSIONS_PER_MESSAGE)
        .filter_map(|(handle, expires_at_ms)| {
            Some(RevokedSession {
                handle: SessionHandle::try_from(handle).ok()?,
                expires_at_ms,
            })
        })
        .collect()
}

/// A message of ours with the longest handles, each byte of which JSON may write as six.
const MOST_BYTES: usize = SESSIONS_PER_MESSAGE * (6 * SessionHandle::MAX_BYTES + 32);

#[cfg(test)]
mod tests {
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
        assert_eq!(read(&write(&list)), list);
        let full = vec![list[5].clone(); SESSIONS_PER_MESSAGE];
        assert_eq!(read(&write(&full)), full);
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
            assert_eq!(read(message), []);
        }
    }
}
