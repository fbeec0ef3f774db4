//! The server of the framework, behind ours.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Request, Response, Uri, Version,
    header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING},
};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::{
    application::Application,
    framework::{Framework, Running},
    settings::BoxError,
};

/// A server that has the application of one setup call, and ends with this value.
pub(crate) struct Backend {
    pub(crate) application: Arc<Application>,
    running: Running,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Backend {
    pub(crate) async fn start(
        framework: Framework,
        application: Application,
    ) -> Result<Self, BoxError> {
        let application = Arc::new(application);
        // A connection for each request: one that is kept may be closed as the next is sent.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        Ok(Self {
            running: framework.serve(Arc::clone(&application)).await?,
            application,
            client,
        })
    }

    /// Has the framework answer a request, with all that the client sent.
    pub(crate) async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, BoxError> {
        let (mut head, body) = request.into_parts();
        let target = head
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        head.uri = Uri::try_from(format!("http://{}{target}", self.address()))?;
        head.version = Version::HTTP_11;
        remove_framing(&mut head.headers);
        let request = Request::from_parts(head, Full::new(body));
        let (mut head, body) = self.client.request(request).await?.into_parts();
        remove_framing(&mut head.headers);
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }

    fn address(&self) -> SocketAddr {
        self.running.address
    }
}

/// What is about one connection and not about the message: each of the two has its own.
fn remove_framing(headers: &mut HeaderMap) {
    const FRAMING: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING];
    for name in FRAMING {
        headers.remove(name);
    }
}
