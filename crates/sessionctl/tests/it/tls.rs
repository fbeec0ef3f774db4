//! A Redis server that speaks TLS alone.

use std::fs;

use servers::{Authority, Kind, OwnServer};
use tempfile::TempDir;

use crate::place::{ran, tool};

/// Many nodes, point 3: the tool knows a server by the authority that the environment names, and is
/// known to it by its own certificate.
#[test]
fn a_redis_over_tls_is_looked_after() {
    let authority = Authority::new().unwrap();
    let server = authority.certify("127.0.0.1").unwrap();
    let server = OwnServer::start_with_tls(Kind::Redis, &server, Some(&authority)).unwrap();
    let own = authority.certify("operator").unwrap();
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let trusted = file("trusted", &authority.certificate());
    let impostor = file("impostor", &Authority::new().unwrap().certificate());
    let (certificate, key) = (file("own", own.certificate()), file("key", own.key()));
    let keys = || {
        let mut keys = tool(&["keys", "--timeout", "60"]);
        keys.env("SESSION_DATABASE_URL", server.url());
        keys
    };

    let known = || {
        let mut known = keys();
        known.env("SESSION_REDIS_CLIENT_CERTIFICATE", &certificate);
        known.env("SESSION_REDIS_CLIENT_KEY", &key);
        known
    };
    let used = ran(known().env("SESSION_REDIS_ROOT_CERTIFICATE", &trusted));
    assert_eq!(used.code, 0, "{}", used.errors);
    let refused = ran(known().env("SESSION_REDIS_ROOT_CERTIFICATE", &impostor));
    assert_eq!(refused.code, 1);
    assert!(refused.errors.contains("certificate"), "{}", refused.errors);
    let unknown = ran(keys().env("SESSION_REDIS_ROOT_CERTIFICATE", &trusted));
    assert_eq!(unknown.code, 1, "{}", unknown.errors);
}

/// A certificate without its key is a mistake, and a file that is not there is named.
#[test]
fn half_a_certificate_is_refused() {
    let keys = || {
        let mut keys = tool(&["keys"]);
        keys.env("SESSION_DATABASE_URL", "rediss://127.0.0.1:1");
        keys
    };
    let file = env!("CARGO_MANIFEST_PATH");
    for variable in [
        "SESSION_REDIS_CLIENT_CERTIFICATE",
        "SESSION_REDIS_CLIENT_KEY",
    ] {
        let half = ran(keys().env(variable, file));
        assert_eq!(half.code, 2, "{}", half.errors);
        assert!(half.errors.contains(variable), "{}", half.errors);
    }
    let nowhere = ran(keys().env("SESSION_REDIS_ROOT_CERTIFICATE", "/nowhere.pem"));
    assert_eq!(nowhere.code, 1);
    assert!(
        nowhere.errors.contains("/nowhere.pem"),
        "{}",
        nowhere.errors
    );
}
