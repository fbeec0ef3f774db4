//! Rounds of applications that take turns.

use bytes::Bytes;
use peers::Problem;
use serde::Serialize;
use session_core::clock::{Clock as _, SystemClock};

use crate::application::{Application, Clients};

/// How many nanoseconds a request took, in each round.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    without: Vec<f64>,
    new: Vec<f64>,
    seen: Vec<f64>,
}

/// Who asks the applications with sessions, and in how many rounds.
pub(crate) struct Measuring {
    pub(crate) clients: [Clients; 2],
    pub(crate) rounds: usize,
}

impl Measuring {
    /// Makes sure that the applications with sessions answer rightly, and measures all three. The
    /// second with sessions remembers tokens.
    pub(crate) async fn measure<A: Application>(
        self,
        without: impl Application,
        with: [A; 2],
    ) -> Result<Figures, Problem> {
        let ([of_new, of_seen], [new, seen]) = (&self.clients, &with);
        judge(new, of_new).await?;
        judge(seen, of_seen).await?;
        // Not counted: caches are cold, and no token was seen.
        round(&without, &of_new.good).await?;
        round(new, &of_new.good).await?;
        round(seen, &of_seen.good).await?;
        let mut figures = Figures::default();
        let of_new = of_new.good.chunks(A_ROUND).cycle();
        let rounds = of_new.zip(of_seen.good.chunks(A_ROUND).cycle());
        for (of_new, of_seen) in rounds.take(self.rounds) {
            figures.without.push(round(&without, of_new).await?);
            figures.new.push(round(new, of_new).await?);
            figures.seen.push(round(seen, of_seen).await?);
        }
        Ok(figures)
    }
}

async fn judge(application: &impl Application, clients: &Clients) -> Result<(), Problem> {
    let ask = async |authorization: &str| {
        let answer = application.answer(application.request(authorization));
        answer.await
    };
    let (Some(first), Some(last)) = (clients.good.first(), clients.good.last()) else {
        return Err("there is no client".into());
    };
    let (first, last) = (ask(first).await?, ask(last).await?);
    let forged = ask(&clients.forged).await?;
    if (first.0, last.0, forged.0) != (200, 200, 401) || first.1 == last.1 {
        return Err(format!("wrong answers: {first:?}, {last:?}, {forged:?}").into());
    }
    Ok(())
}

/// Each of some clients asks once: how long a request took on average.
async fn round<A: Application>(application: &A, clients: &[String]) -> Result<f64, Problem> {
    let clients = clients.iter();
    let requests: Vec<_> = clients.map(|value| application.request(value)).collect();
    let count = u32::try_from(requests.len())?;
    let started = SystemClock.monotonic();
    for request in requests {
        let (status, _): (u16, Bytes) = application.answer(request).await?;
        if status != 200 {
            return Err(format!("a status of {status}").into());
        }
    }
    let elapsed = SystemClock.monotonic().saturating_sub(started);
    Ok(elapsed.as_secs_f64() * 1e9 / f64::from(count))
}

/// So few that a round is mostly over before somebody else gets the processor.
const A_ROUND: usize = 100;
