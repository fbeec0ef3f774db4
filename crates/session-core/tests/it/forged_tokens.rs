//! Refresh tokens that are not ours, or not this session's.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use session_core::{
    ClientTokens, RefreshToken, SessionError, VerifyOptions, config::AntiCsrf,
    verify::PresentedAntiCsrf,
};

use crate::{
    faulty_store::{FaultyStore, Op},
    node::{Node, assert_unauthorised, refresh_token, refresh_token_bytes},
};

/// F11, wire case 23: whatever is not made under our keys is unauthorised, never theft, and no
/// session's row is read for it.
#[tokio::test]
async fn a_forged_token_reaches_no_row_and_is_never_theft() {
    let node = Node::new().await;
    let other_app = Node::bare(FaultyStore::new(), node.clock.clone(), |builder| builder)
        .await
        .unwrap();
    let issued = node.log_in("ann").await;
    let genuine = refresh_token_bytes(&refresh_token(&issued));
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let mut forged: Vec<String> = Vec::new();
    for index in 0..genuine.len() {
        for bit in 0..8 {
            let mut flipped = genuine.clone();
            flipped[index] ^= 1 << bit;
            forged.push(encode(&flipped));
        }
    }
    for length in 0..genuine.len() {
        forged.push(encode(&genuine[..length]));
    }
    forged.push(encode(&[genuine.as_slice(), &[0]].concat()));
    let text = refresh_token(&issued).expose().to_owned();
    let others = refresh_token(&other_app.log_in("ann").await);
    forged.extend([
        String::new(),
        format!("{text}="),
        format!(" {text}"),
        format!("{text}A"),
        text.replace(['-', '_'], "+"),
        text.to_lowercase(),
        "x".repeat(1_024),
        "x".repeat(1_025),
        "x".repeat(1_000_000),
        format!("{text}.V2"),
        format!("V2.{text}"),
        others.expose().to_owned(),
        issued.tokens().access_token().expose().to_owned(),
        issued.tokens().front_token().to_owned(),
        "\0".to_owned(),
        "\u{fffd}".repeat(30),
    ]);
    let reads = node.store.calls(Op::Get);
    for token in forged.iter().filter(|forged| **forged != text) {
        let outcome = node.refresh(&RefreshToken::from_text(token.as_str())).await;
        assert!(
            matches!(
                outcome,
                Err(SessionError::Unauthorised(ClientTokens::Clear))
            ),
            "{token} {outcome:?}"
        );
    }
    assert_eq!(node.store.calls(Op::Get), reads);
    assert_eq!(node.store.calls(Op::Rotate), 0);
    assert_eq!(node.store.calls(Op::Revoke), 0);
    assert!(node.refresh(&refresh_token(&issued)).await.is_ok());
}

/// F13, K10: what a stolen dump of the database has is no refresh token.
#[tokio::test]
async fn what_the_database_keeps_is_no_token() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let row = node.row(issued.session().handle()).await.unwrap();
    let hex = row
        .secret_hash
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let genuine = refresh_token_bytes(&refresh_token(&issued));
    let secret = &genuine[genuine.len() - 64..genuine.len() - 32];
    assert_ne!(secret, row.secret_hash);
    let mut spliced = genuine.clone();
    let at = spliced.len() - 64;
    spliced[at..at + 32].copy_from_slice(&row.secret_hash);
    let claims = issued.session().access_token_payload();
    let hash1 = claims["refreshTokenHash1"].as_str().unwrap().to_owned();
    for token in [
        hex,
        hash1,
        BASE64_URL_SAFE_NO_PAD.encode(row.secret_hash),
        BASE64_URL_SAFE_NO_PAD.encode(spliced),
    ] {
        assert_unauthorised(node.refresh(&RefreshToken::from_text(token)).await);
    }
}

/// F21, E16, wire case 59: with anti-CSRF by token a refresh must bring the token of its own
/// session and generation.
#[tokio::test]
async fn a_refresh_needs_the_anti_csrf_token_of_its_own_session_and_generation() {
    let node = Node::configured(|config| config.anti_csrf(AntiCsrf::ViaToken)).await;
    let (ann, bob) = (node.log_in("ann").await, node.log_in("bob").await);
    let anti_csrf = |issued: &session_core::IssuedSession| {
        issued.tokens().anti_csrf_token().unwrap().to_owned()
    };
    let (anns, bobs) = (anti_csrf(&ann), anti_csrf(&bob));
    let token = refresh_token(&ann);
    let reads = node.store.calls(Op::Get);
    for presented in [None, Some(""), Some(bobs.as_str()), Some("x")] {
        let outcome = node
            .sessions
            .refresh(&token, PresentedAntiCsrf::Token(presented))
            .await;
        assert_unauthorised(outcome);
    }
    assert_eq!(
        node.store.calls(Op::Get),
        reads,
        "refused before the database"
    );
    let second = node
        .sessions
        .refresh(&token, PresentedAntiCsrf::Token(Some(&anns)))
        .await
        .unwrap();
    assert_ne!(anti_csrf(&second), anns);
    let of_the_last_generation = node
        .sessions
        .refresh(
            &refresh_token(&second),
            PresentedAntiCsrf::Token(Some(&anns)),
        )
        .await;
    assert_unauthorised(of_the_last_generation);
    assert!(node.row(ann.session().handle()).await.is_some());
}

/// E16: the access token's anti-CSRF token is the one of its own generation, and a replay gets the
/// same one.
#[tokio::test]
async fn an_access_token_takes_only_its_own_anti_csrf_token() {
    let node = Node::configured(|config| config.anti_csrf(AntiCsrf::ViaToken)).await;
    let first = node.log_in("ann").await;
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    let replay = node.refresh(&refresh_token(&first)).await.unwrap();
    let (old, new) = (
        first.tokens().anti_csrf_token(),
        second.tokens().anti_csrf_token(),
    );
    assert_eq!(replay.tokens().anti_csrf_token(), new);
    let options = VerifyOptions::new();
    let access_token = second.tokens().access_token().expose();
    for (presented, is_accepted) in [(new, true), (old, false), (None, false), (Some(""), false)] {
        let outcome = node
            .sessions
            .verify(access_token, PresentedAntiCsrf::Token(presented), &options)
            .await;
        assert_eq!(outcome.is_ok(), is_accepted, "{outcome:?}");
    }
}
