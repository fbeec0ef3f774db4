//! `Forge`: makes tokens like a session's, and sends them in every way there is.

use serde_json::{Value, json};

use super::{
    TestApp,
    client::{Mode, claims, segment},
    signer::Signer,
};

/// A session's token, and the means to make others like it.
pub(crate) struct Forge<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) signer: Signer,
    pub(crate) token: String,
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl<'a> Forge<'a> {
    pub(crate) async fn new(app: &'a TestApp) -> Self {
        let alice = app.log_in_by(Mode::Header, "alice").await;
        let token = alice.access_token();
        let forge = Self {
            app,
            signer: app.signer().await,
            header: segment(&token, 0),
            claims: claims(&token),
            token,
        };
        let twin = forge.signer.sign(&forge.header, &forge.claims);
        let answer = app.get("/stateless").bearer(&twin).send().await;
        answer.assert_user("alice");
        forge
    }

    pub(crate) fn segments(&self) -> [&str; 3] {
        let mut segments = self.token.split('.');
        [(); 3].map(|()| segments.next().unwrap())
    }

    /// The session's token with these members of its header changed.
    pub(crate) fn with_header(&self, changes: &Value) -> String {
        let mut header = self.header.as_object().unwrap().clone();
        for (name, value) in changes.as_object().unwrap() {
            header.insert(name.clone(), value.clone());
        }
        self.signer.sign(&json!(header), &self.claims)
    }

    /// No way of sending `token` gives a session, required or not, and nothing is cleared.
    pub(crate) async fn assert_refused(&self, token: &str) {
        let get = |path| self.app.get(path);
        let answers = [
            get("/stateless").bearer(token),
            get("/optional").bearer(token),
            get("/stateless").cookie("sAccessToken", token),
        ];
        for request in answers {
            let answer = request.send().await;
            answer.assert_tokens_untouched();
            if answer.status() == 200 {
                answer.assert_nobody();
            } else {
                answer.assert_status(401);
            }
        }
        let answer = get("/database").bearer(token).send().await;
        answer.assert_status(401).assert_tokens_untouched();
    }
}
