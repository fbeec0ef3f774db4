//! The route on axum with `tower-sessions`, which reads its store in each request.

use std::{fs, path::Path, sync::Arc};

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use tower_sessions::{Session, SessionManagerLayer, SessionStore};
use tower_sessions_redis_store::{
    RedisStore,
    fred::prelude::{ClientLike as _, Config, Pool},
};
use tower_sessions_sqlx_store::{
    SqliteStore,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool},
};

use crate::{Problem, SESSIONS, answer::Answer, listening, session_of};

/// Serves until the process ends.
pub(crate) async fn serve(store: &str, folder: &Path) -> Result<(), Problem> {
    if store.starts_with("redis://") {
        // As many connections as its documentation takes.
        let pool = Pool::new(Config::from_url(store)?, None, None, None, 6)?;
        pool.init().await?;
        serve_on(RedisStore::new(pool), folder).await
    } else {
        let options: SqliteConnectOptions = store.parse()?;
        let options = options.create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal);
        let store = SqliteStore::new(SqlitePool::connect_with(options).await?);
        store.migrate().await?;
        serve_on(store, folder).await
    }
}

async fn serve_on(store: impl SessionStore + Clone, folder: &Path) -> Result<(), Problem> {
    let mut requests = Vec::new();
    for number in 0..SESSIONS {
        let session = Session::new(None, Arc::new(store.clone()), None);
        for (name, value) in session_of(number) {
            session.insert_value(&name, value).await?;
        }
        session.save().await?;
        let id = session.id().ok_or("a saved session has an id")?;
        requests.push(format!("cookie: id={id}"));
    }
    fs::write(folder.join("requests"), requests.join("\n"))?;
    let routes = Router::new().route("/session", get(user));
    let app = routes.layer(SessionManagerLayer::new(store).with_secure(false));
    let listener = listening::listen().await?;
    Ok(axum::serve(listener, app).await?)
}

async fn user(session: Session) -> Result<Response, StatusCode> {
    match session.get::<String>("user").await {
        Ok(Some(user)) => Ok(Json(Answer::to(&user)).into_response()),
        Ok(None) => Err(StatusCode::UNAUTHORIZED),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
