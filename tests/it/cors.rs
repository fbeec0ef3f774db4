//! Pages from elsewhere: the one that the examples are told of, and no other, may read their answers and
//! send headers of its own. Forged requests are no matter of CORS, but of `SameSite` and `anti_csrf`.

use hyper::{
    Method,
    header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD},
};
use session_core::http::{CORS_REQUEST_HEADERS, CORS_RESPONSE_HEADERS};

use crate::{
    client::{Answer, Client, REFRESH, Transport},
    example::{Example, on_every_example},
    server::Application,
};

on_every_example! {
    a_preflight_allows_what_the_sdk_sends,
    the_page_calls_with_its_cookies,
    the_page_reads_the_tokens_in_headers,
    a_page_from_elsewhere_reads_nothing,
    the_site_may_be_written_with_a_slash,
    the_servers_own_page_needs_no_permission,
}

/// Wire §4.5: on the application's routes and on those of sessions.
async fn a_preflight_allows_what_the_sdk_sends(example: Example) {
    let app = Application::start_for_page_from(example, SITE).await;
    for path in [
        "/login",
        "/feed",
        "/devices/some-handle/end",
        REFRESH,
        SIGN_OUT,
    ] {
        let answer = preflight(&app, SITE, path).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        assert_open_to_the_site(&answer);
        let methods = names(&answer, "access-control-allow-methods");
        assert!(methods.contains(&"post".to_owned()), "{path}: {answer:?}");
        let headers = names(&answer, "access-control-allow-headers");
        for sent in CORS_REQUEST_HEADERS.map(|name| name.to_string()) {
            assert!(headers.contains(&sent), "{path}: {sent}: {answer:?}");
        }
        assert!(headers.contains(&"content-type".to_owned()), "{answer:?}");
    }
}

/// Refusals, too: a page that cannot read a 401 cannot refresh.
async fn the_page_calls_with_its_cookies(example: Example) {
    let app = Application::start_for_page_from(example, SITE).await;
    let mut ann = app.browser().on_page_from(SITE);
    for path in [REFRESH, SIGN_OUT, "/like-comment"] {
        let refused = ann.post(path).await;
        refused.assert_refused(401, "unauthorised");
        assert_open_to_the_site(&refused);
    }
    let login = ann.try_log_in("ann", "laptop").await.unwrap();
    let refresh = ann.refresh().await;
    for answer in [&login, &refresh] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_open_to_the_site(answer);
        let exposed = names(answer, "access-control-expose-headers");
        assert_eq!(exposed, ["front-token"]);
    }
    let liked = ann.post("/like-comment").await;
    assert_eq!(liked.status, 200, "{liked:?}");
    assert_open_to_the_site(&liked);
    let signed_out = ann.post(SIGN_OUT).await;
    assert_eq!(signed_out.header("front-token"), Some("remove"));
    assert_open_to_the_site(&signed_out);
    assert!(
        names(&signed_out, "access-control-expose-headers").contains(&"front-token".to_owned())
    );
}

/// Wire §4.4: each header that a front end reads is exposed with the answer that has it.
async fn the_page_reads_the_tokens_in_headers(example: Example) {
    let app = Application::start_for_page_from(example, SITE).await;
    let phone = Client::new(app.server().address(), Transport::Headers);
    let mut phone = phone.on_page_from(SITE);
    let login = phone.try_log_in("ann", "phone").await.unwrap();
    let refresh = phone.refresh().await;
    let signed_out = phone.post(SIGN_OUT).await;
    for answer in [login, refresh, signed_out] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_open_to_the_site(&answer);
        let exposed = names(&answer, "access-control-expose-headers");
        let carried = CORS_RESPONSE_HEADERS.map(|name| name.to_string());
        let carried = carried.iter().filter(|name| answer.header(name).is_some());
        let carried: Vec<_> = carried.collect();
        assert!(carried.len() >= 3, "{answer:?}");
        for name in carried {
            assert!(exposed.contains(name), "{name}: {answer:?}");
        }
    }
}

async fn a_page_from_elsewhere_reads_nothing(example: Example) {
    let app = Application::start_for_page_from(example, SITE).await;
    let mut ann = app.browser().on_page_from(SITE);
    ann.log_in("ann", "laptop").await;
    let mut stolen = ann.on_page_from(ELSEWHERE);
    let answers = [
        preflight(&app, ELSEWHERE, "/like-comment").await,
        preflight(&app, ELSEWHERE, REFRESH).await,
        stolen.get("/profile").await,
        stolen.refresh().await,
    ];
    for answer in answers {
        let allowed = answer.header("access-control-allow-origin");
        assert!(matches!(allowed, None | Some(SITE)), "{answer:?}");
    }
}

/// Browsers send an origin without one.
async fn the_site_may_be_written_with_a_slash(example: Example) {
    let app = Application::start_for_page_from(example, &format!("{SITE}/")).await;
    let mut ann = app.browser().on_page_from(SITE);
    let login = ann.try_log_in("ann", "laptop").await.unwrap();
    for answer in [login, preflight(&app, SITE, REFRESH).await] {
        assert!(answer.status.is_success(), "{answer:?}");
        assert_open_to_the_site(&answer);
    }
}

/// Without `--site`, as before: browsers name the origin of a page's own requests, too.
async fn the_servers_own_page_needs_no_permission(example: Example) {
    let app = Application::start(example).await;
    let origin = format!("http://{}", app.server().address());
    let mut ann = app.browser().on_page_from(&origin);
    ann.log_in("ann", "laptop").await;
    assert_eq!(ann.post("/like-comment").await.status, 200);
    assert_eq!(ann.refresh().await.status, 200);
}

async fn preflight(app: &Application, origin: &str, path: &str) -> Answer {
    let mut browser = app.browser().on_page_from(origin);
    let mut request = browser.request(Method::OPTIONS, path);
    let headers = request.headers_mut();
    headers.remove("rid");
    headers.remove("st-auth-mode");
    headers.insert(ACCESS_CONTROL_REQUEST_METHOD, "POST".parse().unwrap());
    let asked = CORS_REQUEST_HEADERS.map(|name| name.to_string()).join(",");
    let asked = format!("content-type,{asked}").parse().unwrap();
    headers.insert(ACCESS_CONTROL_REQUEST_HEADERS, asked);
    browser.exchange(request).await.unwrap()
}

#[track_caller]
fn assert_open_to_the_site(answer: &Answer) {
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!(allowed, Some(SITE), "{answer:?}");
    let credentials = answer.header("access-control-allow-credentials");
    assert_eq!(credentials, Some("true"), "{answer:?}");
}

/// The names in a header, in lower case.
fn names(answer: &Answer, header: &str) -> Vec<String> {
    let names = answer.header(header).unwrap_or_default().split(',');
    names.map(|name| name.trim().to_lowercase()).collect()
}

const SITE: &str = "http://127.0.0.1:4000";
const ELSEWHERE: &str = "http://127.0.0.1:4001";
const SIGN_OUT: &str = "/auth/signout";
