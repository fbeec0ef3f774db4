//! Calls as the SDKs make them for their caller: what they do before the first one, and after a 401
//! (wire §11.2, §11.4).

use std::ops::ControlFlow;

use http::Method;

use super::Browser;
use crate::http::client::Answer;

/// What a client knew when a call began.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    session: bool,
    /// How often it was told.
    times_told: usize,
}

impl Browser<'_> {
    /// A call as the SDKs make it. A client that was never told whether there is a session asks for
    /// one first; a 401 is followed by a refresh and another try, and calls that fail at once share
    /// that refresh. What is returned is what the caller sees.
    pub async fn call(&self, method: Method, path: &str) -> Answer {
        self.launch().await;
        for _ in 0..MOST_REFRESHES {
            let known = self.known();
            let answer = self.request(method.clone(), path).send().await;
            if answer.status() != 401 {
                return answer;
            }
            if let ControlFlow::Break(answer) = self.refresh_after(answer, known).await {
                return answer;
            }
        }
        self.request(method, path).send().await
    }

    /// What the SDKs do before anything else: a client that was never told whether there is a session
    /// refreshes, and learns. The answer, if it asked.
    pub async fn launch(&self) -> Option<Answer> {
        let known = self.known();
        if known.times_told > 0 {
            return None;
        }
        let _turn = self.refreshing.lock().await;
        if self.known() == known {
            Some(self.refresh().await)
        } else {
            None
        }
    }

    /// Makes it worth while to try again what was refused, or says what the caller sees instead.
    async fn refresh_after(&self, refusal: Answer, known: Known) -> ControlFlow<Answer> {
        let _turn = self.refreshing.lock().await;
        let now = self.known();
        if !now.session {
            return ControlFlow::Break(refusal);
        }
        if now != known {
            return ControlFlow::Continue(());
        }
        let answer = self.refresh().await;
        if answer.status() != 200 {
            return ControlFlow::Break(answer);
        }
        assert!(answer.front_token().is_some(), "SDKs give up on this");
        ControlFlow::Continue(())
    }

    fn known(&self) -> Known {
        let held = self.held();
        Known {
            session: held.front_token.is_some(),
            times_told: held.times_told,
        }
    }
}

/// How often one call refreshes.
const MOST_REFRESHES: usize = 10;
