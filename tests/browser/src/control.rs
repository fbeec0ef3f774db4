//! What the tests steer the sites by.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use crate::{
    Folders,
    server::Adapter,
    site::{Command, Problem, Settings, Site},
};

/// All sites of this process.
#[derive(Clone)]
pub(crate) struct Sites(Arc<Inner>);

struct Inner {
    adapter: Adapter,
    folders: Folders,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    last: u64,
    sites: HashMap<u64, Arc<Site>>,
}

impl Sites {
    /// None yet. Their applications will be built with this framework.
    pub(crate) fn new(adapter: Adapter, folders: Folders) -> Self {
        Self(Arc::new(Inner {
            adapter,
            folders,
            running: Mutex::default(),
        }))
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: u64) -> Result<Arc<Site>, Problem> {
        let site = self.running().sites.get(&id).cloned();
        Ok(site.ok_or("there is no such site")?)
    }
}

/// `POST /sites` starts a site; `POST` to what it answers with commands it, `GET` tells what went
/// over the wire, `DELETE` ends it.
pub(crate) fn routes(sites: Sites) -> Router {
    Router::new()
        .route("/sites", post(start))
        .route("/sites/{id}", post(obey).get(exchanges).delete(end))
        .with_state(sites)
}

async fn start(State(sites): State<Sites>, Json(settings): Json<Settings>) -> Answer {
    let (site, addresses) = Site::start(sites.0.adapter, settings, &sites.0.folders).await?;
    let mut running = sites.running();
    running.last += 1;
    let id = running.last;
    running.sites.insert(id, Arc::new(site));
    Ok(Json(json!({ "id": id, "addresses": addresses })))
}

async fn obey(
    State(sites): State<Sites>,
    Path(id): Path<u64>,
    Json(command): Json<Command>,
) -> Answer {
    sites.get(id)?.obey(command).await?;
    Ok(Json(json!(null)))
}

async fn exchanges(State(sites): State<Sites>, Path(id): Path<u64>) -> Answer {
    Ok(Json(json!(sites.get(id)?.exchanges())))
}

async fn end(State(sites): State<Sites>, Path(id): Path<u64>) -> Answer {
    let ended = sites.running().sites.remove(&id);
    ended.ok_or_else(|| Problem::from("there is no such site"))?;
    Ok(Json(json!(null)))
}

type Answer = Result<Json<Value>, Failed>;

/// Tells the test what did not work.
struct Failed(Problem);

impl<E: Into<Problem>> From<E> for Failed {
    fn from(problem: E) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}
