//! A session's life behind each gateway.

use serde_json::{Value, json};

use crate::{
    events::{Answer, Gateway, Request},
    function::{Cookies, Function},
};

/// A browser behind a gateway, and the function behind that.
struct Browser {
    gateway: Gateway,
    function: Function,
    cookies: Cookies,
}

impl Browser {
    async fn behind(gateway: Gateway) -> Self {
        Self {
            gateway,
            function: Function::start(gateway.path()).await,
            cookies: Cookies::default(),
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let cookies = self.cookies.clone();
        self.send(&Request {
            query,
            ..request("GET", path, &cookies)
        })
        .await
    }

    async fn post(&mut self, path: &str, body: &str) -> Answer {
        let cookies = self.cookies.clone();
        let body = Some(body).filter(|body| !body.is_empty());
        self.send(&Request {
            body,
            ..request("POST", path, &cookies)
        })
        .await
    }

    async fn send(&mut self, request: &Request<'_>) -> Answer {
        let document = self.invoke(request).await;
        let answer = self.gateway.read(&document);
        self.cookies.keep(&answer.cookies);
        answer
    }

    async fn invoke(&mut self, request: &Request<'_>) -> Value {
        self.function.invoke(self.gateway.event(request)).await
    }
}

fn request<'a>(method: &'a str, path: &'a str, cookies: &'a Cookies) -> Request<'a> {
    Request {
        method,
        path,
        query: "",
        headers: vec![("st-auth-mode", "cookie")],
        cookies,
        body: None,
        encoded: false,
    }
}

const LOGIN: &str = r#"{"user":"ann","device":"phone"}"#;

/// From the login to what a signed-out client is told, with the cookies that each answer set.
async fn a_session_lives(gateway: Gateway) {
    let mut browser = Browser::behind(gateway).await;
    let stranger = browser.get("/hello").await;
    assert_eq!(
        (stranger.status, &stranger.body),
        (200, &json!({ "hello": "stranger" }))
    );
    let refused = browser.post("/like-comment", "").await;
    assert_eq!(
        (refused.status, &refused.body),
        (401, &json!({ "message": "unauthorised" }))
    );
    let json = Some("application/json; charset=utf-8");
    assert_eq!(refused.header("content-type"), json);

    let login = browser.post("/login", LOGIN).await;
    assert_eq!((login.status, &login.body["user"]), (200, &json!("ann")));
    assert_eq!(
        (
            login.times_set("sAccessToken"),
            login.times_set("sRefreshToken")
        ),
        (1, 1)
    );
    assert_eq!(login.header("cache-control"), Some("no-store"));
    assert_eq!(
        login.header("access-control-expose-headers"),
        Some("front-token")
    );
    let path = format!("Path={}/auth/session/refresh;", gateway.path());
    assert!(
        login.cookies.iter().any(|line| line.contains(&path)),
        "{:?}",
        login.cookies
    );

    let liked = browser.post("/like-comment", "").await;
    assert_eq!(
        (liked.status, &liked.body),
        (200, &json!({ "user": "ann", "liked": true }))
    );
    assert_eq!(liked.cookies, Vec::<String>::new());
    let changed = browser.post("/nickname", r#"{"nickname":"Änne"}"#).await;
    assert_eq!(
        (changed.status, changed.times_set("sAccessToken")),
        (200, 1)
    );
    assert_eq!(
        browser.get("/profile").await.body["payload"]["nickname"],
        "Änne"
    );

    let before = browser.cookies.clone();
    // Events carry the path below the stage, which `lambda_http` puts back.
    let refreshed = browser.post("/auth/session/refresh", "").await;
    assert_eq!((refreshed.status, &refreshed.body), (200, &json!({})));
    assert_eq!(refreshed.times_set("sRefreshToken"), 1);
    assert_ne!(
        browser.cookies.get("sRefreshToken"),
        before.get("sRefreshToken")
    );

    let signed_in = browser.cookies.clone();
    let signed_out = browser.post("/auth/signout", "").await;
    assert_eq!(
        (signed_out.status, &signed_out.body),
        (200, &json!({ "status": "OK" }))
    );
    assert_eq!(browser.cookies.pairs(), Vec::<String>::new());

    // The token alone still passes where nobody else is asked, and nowhere else.
    browser.cookies = signed_in;
    assert_eq!(browser.get("/profile").await.status, 200);
    assert_eq!(browser.get("/feed?page=1").await.status, 200);
    let revoked = browser.get("/feed?page=2").await;
    assert_eq!(
        (revoked.status, revoked.times_set("sAccessToken")),
        (401, 1)
    );
    assert_eq!(browser.cookies.pairs(), Vec::<String>::new());
    assert_eq!(browser.get("/nowhere").await.status, 404);
}

/// Payload format 1.0: both cookies travel in `multiValueHeaders`, below the stage's path.
#[tokio::test]
async fn a_session_lives_behind_a_rest_api() {
    a_session_lives(Gateway::RestApi).await;
}

/// Payload format 2.0: cookies travel in arrays of their own, both ways.
#[tokio::test]
async fn a_session_lives_behind_an_http_api() {
    a_session_lives(Gateway::HttpApi).await;
}

/// Multi-value headers: each cookie has a line of its own, both ways.
#[tokio::test]
async fn a_session_lives_behind_a_load_balancer() {
    a_session_lives(Gateway::LoadBalancer).await;
}

/// Header mode needs no cookies, so it also works where a load balancer passes on only one of them.
#[tokio::test]
async fn a_header_session_lives_behind_every_gateway() {
    for gateway in [
        Gateway::RestApi,
        Gateway::HttpApi,
        Gateway::LoadBalancer,
        Gateway::SingleValueLoadBalancer,
    ] {
        let mut client = Browser::behind(gateway).await;
        let none = Cookies::default();
        let mut login = request("POST", "/login", &none);
        login.headers = vec![("st-auth-mode", "header")];
        login.body = Some(LOGIN);
        let login = client.send(&login).await;
        assert_eq!((login.status, login.cookies.len()), (200, 0), "{gateway:?}");
        let token = format!("Bearer {}", login.header("st-access-token").unwrap());
        let mut like = request("POST", "/like-comment", &none);
        like.headers = vec![("authorization", &token)];
        let liked = client.send(&like).await;
        assert_eq!(
            (liked.status, &liked.body["user"]),
            (200, &json!("ann")),
            "{gateway:?}"
        );
        let token = format!("Bearer {}", login.header("st-refresh-token").unwrap());
        let mut refresh = request("POST", "/auth/session/refresh", &none);
        refresh.headers = vec![("authorization", &token)];
        let refreshed = client.send(&refresh).await;
        assert_eq!(refreshed.status, 200, "{gateway:?}");
        assert!(
            refreshed
                .header("st-refresh-token")
                .is_some_and(|token| !token.is_empty())
        );
    }
}

/// A load balancer without multi-value headers takes one line of each name, so one of the two
/// cookies is lost. This is what the page says about it.
#[tokio::test]
async fn a_load_balancer_with_single_values_loses_a_cookie() {
    let mut browser = Browser::behind(Gateway::SingleValueLoadBalancer).await;
    let login = browser.post("/login", LOGIN).await;
    assert_eq!((login.status, login.cookies.len()), (200, 1));
}

/// A body that travels in base64 is the same body.
#[tokio::test]
async fn an_encoded_body_is_decoded() {
    for gateway in [Gateway::RestApi, Gateway::HttpApi, Gateway::LoadBalancer] {
        let mut browser = Browser::behind(gateway).await;
        let none = Cookies::default();
        let mut login = request("POST", "/login", &none);
        login.body = Some(r#"{"user":"Änne","device":"phone"}"#);
        login.encoded = true;
        let login = browser.send(&login).await;
        assert_eq!(
            (login.status, &login.body["user"]),
            (200, &json!("Änne")),
            "{gateway:?}"
        );
    }
}

/// E1, E8: header lines that come twice are seen where the event has them all.
#[tokio::test]
async fn two_authorization_lines_are_refused() {
    let mut browser = Browser::behind(Gateway::LoadBalancer).await;
    browser.post("/login", LOGIN).await;
    let cookies = browser.cookies.clone();
    let mut event = Gateway::LoadBalancer.event(&request("GET", "/profile", &cookies));
    event["multiValueHeaders"]["authorization"] = json!(["Bearer a", "Bearer b"]);
    let document = browser.function.invoke(event).await;
    let answer = Gateway::LoadBalancer.read(&document);
    assert_eq!((answer.status, answer.cookies.len()), (401, 0));
    assert_eq!(document["statusDescription"], "401 Unauthorized");
}

/// A REST API lists repeated lines and gives the last one again; `lambda_http` keeps that one. This
/// is what the page says about it.
#[tokio::test]
async fn a_rest_api_sees_the_last_of_repeated_lines() {
    let mut browser = Browser::behind(Gateway::RestApi).await;
    browser.post("/login", LOGIN).await;
    let token = format!("Bearer {}", browser.cookies.get("sAccessToken").unwrap());
    let none = Cookies::default();
    let mut profile = request("GET", "/profile", &none);
    profile.headers = vec![("authorization", &token)];
    let mut event = Gateway::RestApi.event(&profile);
    event["multiValueHeaders"]["authorization"] = json!(["Bearer a", token]);
    let answer = Gateway::RestApi.read(&browser.function.invoke(event).await);
    assert_eq!((answer.status, &answer.body["user"]), (200, &json!("ann")));
}

/// An event with a body that is no text, or no JSON, is answered and not dropped.
#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let mut browser = Browser::behind(Gateway::HttpApi).await;
    let refused = browser.post("/login", "user=ann").await;
    assert_eq!(refused.status, 400);
    let refused = browser
        .post("/login", r#"{"user":"","device":"phone"}"#)
        .await;
    assert_eq!((refused.status, refused.cookies.len()), (400, 0));
}
