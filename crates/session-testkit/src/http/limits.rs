//! Requests without measure: they are refused cheaply, and the next one is answered (security E6,
//! J1, J2, J4, D2).

use serde_json::json;

use super::{
    TestApp,
    client::{Mode, RawAnswer, claims, segment, send_raw},
};
use crate::faulty_store::Operation;

/// The request was refused as the client's fault, by us or by the server before us.
#[track_caller]
fn assert_refused(answer: &RawAnswer) {
    let status = answer.status();
    assert!(
        status.is_none_or(|status| (400..500).contains(&status)),
        "{status:?}"
    );
    let lines = answer.head_lines();
    assert!(
        !lines
            .iter()
            .any(|line| line.to_lowercase().starts_with("set-cookie"))
    );
}

fn get(path: &str, lines: &[Vec<u8>]) -> Vec<u8> {
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    request.push_str("st-auth-mode: cookie\r\n");
    let mut request = request.into_bytes();
    for line in lines {
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// E6: more cookies than any browser sends, larger ones, or a header without end.
pub async fn a_cookie_bomb_is_refused(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let ours = format!("sAccessToken={}", alice.access_token());
    let large = |number| format!("Cookie: c{number}={}", "x".repeat(4_000)).into_bytes();
    let many = |count: usize| "; c=x".repeat(count);
    let bombs: Vec<Vec<Vec<u8>>> = vec![
        (0..50).map(large).collect(),
        (0..20)
            .map(large)
            .chain([format!("Cookie: {ours}").into_bytes()])
            .collect(),
        vec![format!("Cookie: {ours}{}", many(10_000)).into_bytes()],
        vec![format!("Cookie: a=b{}; {ours}", many(10_000)).into_bytes()],
        vec![format!("Cookie: {}", ";".repeat(60_000)).into_bytes()],
        vec![format!("Cookie: {}", "sAccessToken=x;".repeat(4_000)).into_bytes()],
        vec![format!("X-Large: {}", "x".repeat(1_000_000)).into_bytes()],
        (0..5_000)
            .map(|n| format!("X-{n}: 1").into_bytes())
            .collect(),
    ];
    for bomb in bombs {
        assert_refused(&send_raw(app, &get("/stateless", &bomb)).await);
        assert_refused(&send_raw(app, &get("/guard/database", &bomb)).await);
    }
    alice.get("/database").await.assert_user("alice");
}

/// J1: a token that is too long is refused by its length, wherever it is sent.
pub async fn an_oversize_token_is_refused(app: &TestApp) {
    let calls = app.store().session_calls();
    for length in [8_193, 16_000, 64_000, 1_000_000] {
        let segment = "A".repeat(length / 3);
        for token in ["A".repeat(length), format!("{segment}.{segment}.{segment}")] {
            for line in [
                format!("Cookie: sAccessToken={token}"),
                format!("Authorization: Bearer {token}"),
            ] {
                let request = get("/stateless", &[line.into_bytes()]);
                assert_refused(&send_raw(app, &request).await);
            }
            let request = format!(
                "POST {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Authorization: Bearer {token}\r\n\r\n",
                app.refresh_path()
            );
            let answer = send_raw(app, request.as_bytes()).await;
            let status = answer.status();
            assert!(status.is_none_or(|status| (400..500).contains(&status)));
        }
    }
    assert_eq!(app.store().session_calls(), calls);
}

/// J1: a token of ours that grew beyond the limit is refused though its signature is good.
pub async fn a_signed_token_beyond_the_limit_is_refused(app: &TestApp) {
    let alice = app.log_in_by(Mode::Header, "alice").await;
    let signer = app.signer().await;
    let header = segment(&alice.access_token(), 0);
    for (padding, accepted) in [(1_000, true), (8_000, false), (60_000, false)] {
        let mut claims = claims(&alice.access_token());
        claims["padding"] = json!("x".repeat(padding));
        let token = signer.sign(&header, &claims);
        let answer = app.get("/stateless").bearer(&token).send().await;
        if accepted {
            answer.assert_user("alice");
        } else {
            answer.assert_no_session();
        }
    }
}

/// J2: forged signatures cost no look at the store.
pub async fn forged_signatures_reach_no_store(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let token = alice.access_token();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let calls = app.store().session_calls();
    let loads = app.store().calls(Operation::LoadKeys);
    for number in 0..100 {
        let zeros = "A".repeat(340);
        let token = format!("{signed}.{zeros}{:02}", number % 100);
        let answer = app.get("/database").bearer(&token).send().await;
        answer.assert_status(401).assert_tokens_untouched();
    }
    assert_eq!(app.store().session_calls(), calls);
    // One more may be the background task's, which reads the keys when the service starts.
    assert!(app.store().calls(Operation::LoadKeys) <= loads + 1);
}

/// D2, wire cases 9, 10, 75: a flood of unknown keys makes us read our own keys once a second at
/// most, and nothing else.
pub async fn unknown_keys_are_looked_for_once_a_second(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let signer = app.signer().await;
    let claims = claims(&alice.access_token());
    let flood = async |name: &str| {
        let requests = (0..20).map(|number| {
            let header = json!({
                "alg": "RS256", "typ": "JWT", "version": "5", "kid": format!("d-{name}-{number}"),
            });
            let token = signer.sign(&header, &claims);
            async move {
                let answer = app.get("/stateless").bearer(&token).send().await;
                answer.assert_try_refresh_token();
            }
        });
        futures_util::future::join_all(requests).await;
    };
    // The first flood, and the background task's first look, are over before anything is counted.
    app.advance(std::time::Duration::from_secs(2));
    flood("first").await;
    let calls = app.store().session_calls();
    let loads = app.store().calls(Operation::LoadKeys);
    flood("second").await;
    let within_the_second = app.store().calls(Operation::LoadKeys) - loads;
    assert!(within_the_second <= 1, "{within_the_second}");
    app.advance(std::time::Duration::from_secs(2));
    flood("third").await;
    let after = app.store().calls(Operation::LoadKeys) - loads;
    assert!((1..=2).contains(&after), "{after}");
    assert_eq!(app.store().session_calls(), calls);
    alice.get("/stateless").await.assert_user("alice");
}

/// A request that is not HTTP, or hardly, is no reason to fail.
pub async fn a_broken_request_breaks_nothing(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let line = |text: &[u8]| vec![text.to_vec()];
    for lines in [
        line(b"Cookie: sAccessToken=\xff\xfe\x80"),
        line(b"Cookie: sAccessToken=a\0b"),
        line(b"Cookie:"),
        line(b"Cookie: ="),
        line(b"Cookie: ;;;==;=;"),
        line(b"Cookie: sAccessToken"),
        line(b"Cookie : sAccessToken=x"),
        line(b"Cookie: a=b\r\n sAccessToken=x"),
        line(b"Authorization: Bearer \xff"),
        line(b"Authorization:"),
        line(b"st-auth-mode: \xff"),
        line(b"rid: \xff"),
        line(b"anti-csrf: \xff"),
        line(b"Content-Length: -1"),
        line(b"Transfer-Encoding: chunked, chunked"),
    ] {
        assert_refused(&send_raw(app, &get("/stateless", &lines)).await);
    }
    for request in [
        &b"\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET /stateless HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        assert_refused(&send_raw(app, request).await);
    }
    alice.get("/database").await.assert_user("alice");
}
