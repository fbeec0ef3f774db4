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
    pub(crate) rounds: u32,
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
        let mut figures = Figures::default();
        // The first round is not counted: caches are cold, and no token was seen.
        for counted in 0..=self.rounds {
            let without = round(&without, of_new).await?;
            let (new, seen) = (round(new, of_new).await?, round(seen, of_seen).await?);
            if counted > 0 {
                figures.without.push(without);
                figures.new.push(new);
                figures.seen.push(seen);
            }
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

/// Every client asks once: how long a request took on average.
async fn round<A: Application>(application: &A, clients: &Clients) -> Result<f64, Problem> {
    let good = clients.good.iter();
    let requests: Vec<_> = good.map(|value| application.request(value)).collect();
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
