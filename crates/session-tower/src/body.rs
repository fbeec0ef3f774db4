//! The body of a response that is either one of ours or one of the service's.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response that comes either from the service inside, whose bodies are `B`, or
    /// from a session layer.
    ///
    /// A body as far as `B` is one. Its default is empty, which is what a CORS layer around answers
    /// a preflight with.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        body: Either<Full<Bytes>, B>,
    }
}

impl<B> From<Either<Full<Bytes>, B>> for ResponseBody<B> {
    fn from(body: Either<Full<Bytes>, B>) -> Self {
        Self { body }
    }
}

impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Either::Left(Full::default()).into()
    }
}

impl<B> Body for ResponseBody<B>
where
    Either<Full<Bytes>, B>: Body,
{
    type Data = <Either<Full<Bytes>, B> as Body>::Data;
    type Error = <Either<Full<Bytes>, B> as Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
