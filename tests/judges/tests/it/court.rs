//! A server of ours, and judges who know its JWKS URL and nothing else.

use judges::{Judge, Library};
use session_core::{AppInfo, MemoryStore, Sessions, clock::ManualClock};
use session_testkit::http::{TestApp, signer::Signer};

use crate::axum::Axum;

/// A server of ours.
pub(crate) async fn server() -> TestApp {
    TestApp::start(Axum).await
}

/// A judge of a server's tokens.
pub(crate) fn judge(library: Library, app: &TestApp) -> Judge {
    let jwks = format!("http://{}/auth/jwt/jwks.json", app.address());
    library.start(&jwks, app.sessions().config().app().issuer())
}

/// Signs with a key that is nowhere in our set.
pub(crate) async fn stranger() -> Signer {
    let store = MemoryStore::default();
    let (api, website) = ("https://api.else.example", "https://else.example");
    let builder = Sessions::builder(AppInfo::new(api, website));
    let builder = builder.store(store.clone()).clock(ManualClock::default());
    let sessions = builder.build().await.unwrap();
    let signer = Signer::of(&store).await;
    sessions.shutdown().await;
    signer
}

/// Declares the named functions as tests, once for each library.
macro_rules! on_every_library {
    ($($test:ident,)*) => {
        $crate::court::on_every_library! { @jose Jose: $($test,)* }
        $crate::court::on_every_library! { @jsonwebtoken JsonWebToken: $($test,)* }
        $crate::court::on_every_library! { @pyjwt PyJwt: $($test,)* }
        $crate::court::on_every_library! { @supertokens_node SuperTokensNode: $($test,)* }
    };
    (@$module:ident $library:ident: $($test:ident,)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test(judges::Library::$library).await;
                }
            )*
        }
    };
}
pub(crate) use on_every_library;
