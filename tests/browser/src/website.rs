//! The website: one page and its script.

use std::path::Path;

use axum::{
    Router,
    http::header::CONTENT_TYPE,
    response::{Html, IntoResponse as _},
    routing::get,
};
use bytes::Bytes;
use tokio::{fs, net::TcpListener, task::JoinSet};

use crate::{server::Server, site::Problem};

/// Serves the page that was built into a folder.
pub(crate) async fn serve(folder: &Path) -> Result<Server, Problem> {
    let read = async |name: &str| {
        let path = folder.join(name);
        let read = fs::read(&path).await;
        read.map(Bytes::from)
            .map_err(|error| format!("{}: {error}", path.display()))
    };
    let (page, script) = (read("index.html").await?, read("page.js").await?);
    let javascript = [(CONTENT_TYPE, "text/javascript")];
    let app = Router::new()
        .route("/", get(async || Html(page).into_response()))
        .route("/page.js", get((javascript, script)));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async { axum::serve(listener, app).await });
    Ok(Server::new(address, tasks))
}
