//! What the suite talks to.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    handler::Handler as _,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{sync::RwLock, time::timeout};
use tower_http::services::{ServeDir, ServeFile};

use crate::{
    answers,
    application::Application,
    backend::Backend,
    cors,
    counters::Counters,
    framework::Framework,
    keys::Keys,
    settings::{BoxError, Settings},
    stored::Stored,
};

/// The server that owns the port.
pub(crate) struct Server {
    framework: Framework,
    port: u16,
    keys: Keys,
    counters: Counters,
    current: RwLock<Current>,
}

/// What the suite has set up.
struct Current {
    backend: Arc<Backend>,
    /// By the application's name.
    stored: HashMap<String, Arc<Stored>>,
}

impl Server {
    /// A server that has an application before the suite asks for one.
    pub(crate) async fn new(framework: Framework, port: u16) -> Result<Arc<Self>, BoxError> {
        let keys = Keys::make().await?;
        let settings = Settings::default();
        let stored = Arc::new(Stored::new(&keys, settings.rotation).await?);
        let store = stored.store(settings.rotation)?;
        let application = Application::start(&settings, store, port).await?;
        let current = Current {
            backend: Arc::new(Backend::start(framework, application).await?),
            stored: HashMap::from([(settings.app, stored)]),
        };
        Ok(Arc::new(Self {
            framework,
            port,
            keys,
            counters: Counters::default(),
            current: RwLock::new(current),
        }))
    }

    /// Its routes; `files` and `page` are what is served of the suite's.
    pub(crate) fn router(self: &Arc<Self>, files: &Path, page: &Path) -> Router {
        let otherwise = forward.with_state(Arc::clone(self));
        let folder = |folder: &Path| {
            ServeDir::new(folder)
                .append_index_html_on_directories(false)
                .call_fallback_on_method_not_allowed(true)
        };
        let angular = folder(&files.join("angular")).fallback(folder(files));
        Router::new()
            .route("/test/setup/app", post(set_up_app))
            .route("/test/setup/st", post(set_up_st))
            .route("/beforeeach", post(before_each))
            .route("/after", post(async || ()))
            .route("/featureFlags", get(feature_flags))
            .route("/refreshCalledTime", get(refreshes))
            .route("/refreshAttemptedTime", get(refreshes_attempted))
            .route("/getSessionCalledTime", get(sessions_found))
            .route_service("/index.html", ServeFile::new(page))
            .nest_service("/angular", angular)
            .fallback_service(folder(files).fallback(otherwise))
            .method_not_allowed_fallback(forward)
            .layer(middleware::from_fn(cors::allow_the_page))
            .with_state(Arc::clone(self))
    }

    async fn backend(&self) -> Arc<Backend> {
        Arc::clone(&self.current.read().await.backend)
    }
}

async fn set_up_app(body: Bytes) -> Result<String, Unusable> {
    Ok(Settings::opaque_text(&body)?)
}

/// The suite does not wait for the answer. Whoever asks after this has begun waits for the new
/// application, so it begins before the body is there.
async fn set_up_st(State(server): State<Arc<Server>>, body: Body) -> Result<(), Unusable> {
    let mut current = server.current.write().await;
    let body = timeout(BODY_PATIENCE, to_bytes(body, MAX_BODY_BYTES)).await??;
    let settings = Settings::of_request(&body)?;
    let stored = match current.stored.get(&settings.app) {
        Some(stored) => Arc::clone(stored),
        None => Arc::new(Stored::new(&server.keys, settings.rotation).await?),
    };
    let store = stored.store(settings.rotation)?;
    let application = Application::start(&settings, store, server.port).await?;
    current.backend = Arc::new(Backend::start(server.framework, application).await?);
    current.stored.insert(settings.app, stored);
    Ok(())
}

async fn before_each(State(server): State<Arc<Server>>) {
    server.counters.zero();
}

async fn feature_flags(State(server): State<Arc<Server>>) -> Json<Value> {
    Json(json!({
        "sessionJwt": server.backend().await.application.jwt,
        "sessionClaims": true,
        "v3AccessToken": true,
        "duplicateCookieHandling": true,
    }))
}

async fn refreshes(State(server): State<Arc<Server>>) -> String {
    server.counters.refreshes.text()
}

async fn refreshes_attempted(State(server): State<Arc<Server>>) -> String {
    server.counters.refreshes_attempted.text()
}

async fn sessions_found(State(server): State<Arc<Server>>) -> String {
    server.counters.sessions_found.text()
}

/// Everything else is the framework's to answer.
async fn forward(
    State(server): State<Arc<Server>>,
    request: Request,
) -> Result<Response, Unusable> {
    let counters = &server.counters;
    let (head, body) = request.into_parts();
    let is_refresh = head.method == Method::POST && head.uri.path() == "/auth/session/refresh";
    let asks_for_session = head.method == Method::GET && head.uri.path() == "/";
    let has_rid = head.headers.contains_key("rid");
    if is_refresh {
        counters.refreshes_attempted.increment();
    }
    let backend = server.backend().await;
    let body = to_bytes(body, MAX_BODY_BYTES).await?;
    let answer = backend
        .ask(Request::from_parts(head, body))
        .await
        .map_err(|error| Unusable(StatusCode::BAD_GATEWAY, error))?;
    let is_granted = answer.status() == StatusCode::OK;
    if is_refresh && is_granted {
        counters.refreshes.increment();
    }
    if asks_for_session && is_granted {
        counters.sessions_found.increment();
    }
    let answer = if is_refresh {
        answers::of_refresh(answer, has_rid)
    } else {
        answers::of_refusal(answer)
    };
    Ok(answer.map(Body::from))
}

/// A request that cannot be followed.
struct Unusable(StatusCode, BoxError);

impl<E: Into<BoxError>> From<E> for Unusable {
    fn from(error: E) -> Self {
        Self(StatusCode::BAD_REQUEST, error.into())
    }
}

impl IntoResponse for Unusable {
    fn into_response(self) -> Response {
        let Self(status, error) = self;
        tracing::error!(error = &*error as &dyn std::error::Error, "not followed");
        (status, error.to_string()).into_response()
    }
}

const MAX_BODY_BYTES: usize = 1_000_000;

/// For how long everybody waits for the body of a setup call.
const BODY_PATIENCE: Duration = Duration::from_secs(5);
