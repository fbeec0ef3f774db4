//! Every case of the HTTP suite against every adapter: the complete answers are equal.
//!
//! Status, body, names, values and number of headers, cookies: whatever framework a team uses, its
//! clients see the same.

use session_testkit::http::Contender;

#[path = "../../crates/session-actix/tests/it/application.rs"]
mod actix;
#[path = "../../crates/session-axum/tests/it/application.rs"]
pub(crate) mod axum;
#[path = "../../crates/session-poem/tests/it/application.rs"]
mod poem;
#[path = "../../crates/session-rocket/tests/it/application.rs"]
mod rocket;
#[path = "../../crates/session-tower/tests/it/application.rs"]
mod tower;
#[path = "../../crates/session-warp/tests/it/application.rs"]
mod warp;

fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("axum", axum::Axum),
        Contender::new("poem", poem::Poem),
        Contender::new("actix", actix::Actix).without_http2(),
        Contender::new("rocket", rocket::OnRocket).with_text_headers_alone(),
        Contender::new("tower", tower::Hyper),
        Contender::new("warp", warp::Warp),
    ]
}

session_testkit::same_answers!(contenders());
