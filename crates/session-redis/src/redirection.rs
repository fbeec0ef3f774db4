//! Where a node of a cluster says that the keys are.

use redis::{ConnectionAddr, ErrorKind, RedisError, ServerErrorKind};

/// The address of the node that has the keys, when `answer` names it and they are all there.
///
/// While a slot is on its way from one node to another, either has some of its keys, and the answer is
/// `ASK`. That is not followed: what a script did not find might still be at the other node, so a
/// session would be taken for ended, or its revocation for done.
pub(crate) fn address(asked: &ConnectionAddr, answer: &RedisError) -> Option<ConnectionAddr> {
    if answer.kind() != ErrorKind::Server(ServerErrorKind::Moved) {
        return None;
    }
    let (place, _) = answer.redirect_node()?;
    let (there, port) = place.rsplit_once(':')?;
    let there = there.trim_start_matches('[').trim_end_matches(']');
    let there_port = port.parse().ok()?;
    let mut address = asked.clone();
    let (ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) =
        &mut address
    else {
        return None;
    };
    // A cluster may be told to name ports alone: the host is the one that was asked.
    if !there.is_empty() {
        there.clone_into(host);
    }
    *port = there_port;
    Some(address)
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    /// Many nodes, point 3: a redirection changes where, and nothing else.
    #[test]
    fn another_node_is_reached_in_the_same_way() {
        let asked = ConnectionAddr::Tcp("one".to_owned(), 1);
        for (answer, host, port) in [
            ("7000 10.0.0.2:6380", "10.0.0.2", 6380),
            ("7000 two.example.com:6380", "two.example.com", 6380),
            ("7000 [::1]:6380", "::1", 6380),
            ("7000 :6380", "one", 6380),
        ] {
            let there = address(&asked, &refusal(&format!("-MOVED {answer}\r\n")));
            assert_eq!(there, Some(ConnectionAddr::Tcp(host.to_owned(), port)));
        }
    }

    /// Many nodes, point 3: what is on its way is nowhere, and nonsense leads nowhere.
    #[test]
    fn nothing_else_is_followed() {
        let asked = ConnectionAddr::Tcp("one".to_owned(), 1);
        for answer in [
            "-ASK 7000 10.0.0.2:6380\r\n",
            "-MOVED 7000\r\n",
            "-MOVED 7000 10.0.0.2\r\n",
            "-MOVED 7000 10.0.0.2:99999\r\n",
            "-ERR no\r\n",
        ] {
            assert_eq!(address(&asked, &refusal(answer)), None, "{answer}");
        }
        let moved = refusal("-MOVED 7000 10.0.0.2:6380\r\n");
        assert_eq!(
            address(&ConnectionAddr::Unix("socket".into()), &moved),
            None
        );
    }

    fn refusal(answer: &str) -> RedisError {
        match redis::parse_redis_value(answer.as_bytes()) {
            Ok(Value::ServerError(error)) => error.into(),
            other => panic!("{other:?}"),
        }
    }
}
