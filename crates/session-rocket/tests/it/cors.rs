//! A CORS fairing on either side of ours. Rocket has none, so an application writes it like this.

use rocket::{
    Build, Request, Response, Rocket,
    fairing::{Fairing, Info, Kind},
    http::{Header, Method, Status},
    options, post, routes,
};
use session_rocket::{CORS_REQUEST_HEADERS, CORS_RESPONSE_HEADERS, Session, SessionFairing};

use crate::client::{Reply, TestApp};

const ORIGIN: &str = "https://example.com";

/// What the application itself exposes.
struct Cors(Vec<String>);

impl Cors {
    fn exposing_nothing() -> Self {
        Self(Vec::new())
    }

    fn exposing<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }
}

#[rocket::async_trait]
impl Fairing for Cors {
    fn info(&self) -> Info {
        Info {
            name: "CORS",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        if request.headers().get_one("origin") != Some(ORIGIN) {
            return;
        }
        let mut allow = |name: &'static str, value: String| {
            response.set_header(Header::new(name, value));
        };
        allow("Access-Control-Allow-Origin", ORIGIN.to_owned());
        allow("Access-Control-Allow-Credentials", "true".to_owned());
        allow("Vary", "Origin".to_owned());
        if !self.0.is_empty() {
            allow("Access-Control-Expose-Headers", self.0.join(", "));
        }
        if request.method() == Method::Options {
            let ours = CORS_REQUEST_HEADERS.map(|name| name.to_string()).join(", ");
            allow("Access-Control-Allow-Methods", "GET, POST".to_owned());
            allow("Access-Control-Allow-Headers", ours);
        }
    }
}

#[post("/guarded")]
fn guarded(_session: Session) {}

#[options("/<_..>")]
fn preflight() -> Status {
    Status::NoContent
}

/// Our fairing and the other in the order of the application.
async fn app(attach: impl FnOnce(Rocket<Build>, SessionFairing) -> Rocket<Build>) -> TestApp {
    TestApp::with(|rocket, ours| attach(rocket.mount("/", routes![guarded, preflight]), ours)).await
}

async fn from_origin(app: &TestApp, method: Method, path: &'static str) -> Reply {
    let request = app.request(method, path);
    let request = request.header(Header::new("origin", ORIGIN));
    let request = request.header(Header::new("st-auth-mode", "cookie"));
    app.send(request.body("ann")).await
}

fn exposed(reply: &Reply) -> Vec<String> {
    let lines = reply.lines("access-control-expose-headers");
    let names = lines.iter().flat_map(|line| line.split(','));
    names.map(|name| name.trim().to_owned()).collect()
}

/// Wire §4.4: a list that is written before ours is added to.
#[rocket::async_test]
async fn a_list_in_front_of_ours_is_added_to() {
    let cors = Cors::exposing(["x-total"]);
    let app = app(|rocket, ours| rocket.attach(cors).attach(ours)).await;
    let reply = from_origin(&app, Method::Post, "/login").await;
    assert_eq!(exposed(&reply), ["x-total", "front-token"]);
    assert_eq!(reply.lines("access-control-allow-origin"), [ORIGIN]);
}

/// Wire §4.4: a fairing without a list of its own leaves ours, wherever it stands.
#[rocket::async_test]
async fn a_fairing_without_a_list_may_stand_on_either_side() {
    let before = app(|rocket, ours| rocket.attach(Cors::exposing_nothing()).attach(ours)).await;
    let after = app(|rocket, ours| rocket.attach(ours).attach(Cors::exposing_nothing())).await;
    for app in [before, after] {
        let reply = from_origin(&app, Method::Post, "/login").await;
        assert_eq!(exposed(&reply), ["front-token"]);
        assert_eq!(reply.lines("access-control-allow-origin"), [ORIGIN]);
    }
}

/// Wire §4.4: a list that is written after ours replaces it, so it has to have our names; no name is
/// there twice.
#[rocket::async_test]
async fn a_list_behind_ours_has_our_names() {
    let ours = CORS_RESPONSE_HEADERS;
    let ours = ours.iter().map(http::HeaderName::as_str);
    let cors = Cors::exposing(ours.chain(["x-total"]));
    let app = app(|rocket, ours| rocket.attach(ours).attach(cors)).await;
    let reply = from_origin(&app, Method::Post, "/login").await;
    let mut names = exposed(&reply);
    assert!(names.iter().any(|name| name == "front-token"));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// E17: refusals and our own routes carry the CORS headers of the other fairing, in both orders.
#[rocket::async_test]
async fn our_own_answers_carry_the_cors_headers() {
    let before = app(|rocket, ours| rocket.attach(Cors::exposing_nothing()).attach(ours)).await;
    let after = app(|rocket, ours| rocket.attach(ours).attach(Cors::exposing_nothing())).await;
    for app in [before, after] {
        for path in ["/auth/session/refresh", "/auth/signout", "/guarded"] {
            let reply = from_origin(&app, Method::Post, path).await;
            assert_eq!(reply.status, 401, "{path}");
            for (name, value) in [
                ("access-control-allow-origin", ORIGIN),
                ("access-control-allow-credentials", "true"),
                ("vary", "Origin"),
            ] {
                assert_eq!(reply.lines(name), [value], "{path}");
            }
        }
    }
}

/// E17, wire §4.5: a preflight reaches the application, also for our own routes, and allows what the
/// SDK sends.
#[rocket::async_test]
async fn a_preflight_allows_the_headers_of_the_sdk() {
    let app = app(|rocket, ours| rocket.attach(Cors::exposing_nothing()).attach(ours)).await;
    for path in ["/guarded", "/auth/session/refresh"] {
        let reply = from_origin(&app, Method::Options, path).await;
        assert_eq!(reply.status, 204, "{path}");
        let allowed = reply.lines("access-control-allow-headers");
        let allowed: Vec<_> = allowed[0].split(", ").collect();
        for name in ["rid", "fdi-version", "anti-csrf", "authorization"] {
            assert!(allowed.contains(&name), "{name}");
        }
    }
}
