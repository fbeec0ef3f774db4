//! `ConnectionSource`: where connections come from and go back to.
//!
//! The driver's pool asks a connection that comes back whether it is alive, a round trip for every
//! operation that a server has to answer, though the next one finds out by itself. So connections of
//! our own pools are kept here, and the pool only opens them; an application's pool is used as it is.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::{Connection, Pool, pool::PoolConnection};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use crate::dialect::Dialect;

/// Where connections come from.
pub(crate) enum ConnectionSource<D: Dialect> {
    /// A pool that an application uses, too.
    Shared(Pool<D>),
    Own(Arc<Held<D>>),
}

impl<D: Dialect> ConnectionSource<D> {
    /// Of a pool that nobody else uses.
    pub(crate) fn own(pool: Pool<D>) -> Self {
        let places = pool.options().get_max_connections();
        Self::Own(Arc::new(Held {
            places: Arc::new(Semaphore::new(usize::try_from(places).unwrap_or(1))),
            idle: Mutex::default(),
            pool,
        }))
    }

    /// What opens the connections.
    pub(crate) fn pool(&self) -> &Pool<D> {
        match self {
            Self::Shared(pool) => pool,
            Self::Own(held) => &held.pool,
        }
    }

    pub(crate) async fn take(&self) -> Result<Taken<D>, sqlx::Error> {
        match self {
            Self::Shared(pool) => Ok(Taken::Shared(pool.acquire().await?)),
            Self::Own(held) => held.take().await,
        }
    }
}

impl<D: Dialect> Clone for ConnectionSource<D> {
    fn clone(&self) -> Self {
        match self {
            Self::Shared(pool) => Self::Shared(pool.clone()),
            Self::Own(held) => Self::Own(Arc::clone(held)),
        }
    }
}

/// The connections of a pool that nobody else uses.
pub(crate) struct Held<D: Dialect> {
    pool: Pool<D>,
    /// One for each connection that there may be.
    places: Arc<Semaphore>,
    /// The one used last is used next, so those that are not needed come to stand in front.
    idle: Mutex<VecDeque<Idle<D>>>,
}

struct Idle<D: Dialect> {
    connection: D::Connection,
    opened: Instant,
    since: Instant,
}

impl<D: Dialect> Held<D> {
    async fn take(self: &Arc<Self>) -> Result<Taken<D>, sqlx::Error> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.take_idle();
        let (connection, opened, is_known_to_live) = match idle {
            Some(idle) => {
                let is_known_to_live = D::ASK_REPLICA.is_none() || idle.since.elapsed() < LATELY;
                (idle.connection, idle.opened, is_known_to_live)
            }
            None => (self.pool.acquire().await?.detach(), Instant::now(), true),
        };
        Ok(Taken::Own(Own {
            connection,
            opened,
            is_known_to_live,
            place,
            home: Arc::clone(self),
        }))
    }

    fn give_back(&self, connection: D::Connection, opened: Instant, place: OwnedSemaphorePermit) {
        let given = Idle {
            connection,
            opened,
            since: Instant::now(),
        };
        let mut unneeded = Vec::new();
        let mut idle = self.idle();
        while let Some(first) = idle.pop_front_if(|first| self.has_had_its_time(first)) {
            unneeded.push(first);
        }
        if self.has_had_its_time(&given) {
            drop(idle);
            close::<D>(given.connection, Some(place));
        } else {
            idle.push_back(given);
            drop(idle);
            drop(place);
        }
        for one in unneeded {
            close::<D>(one.connection, None);
        }
    }

    /// One that has neither been idle nor open for too long, if there is one; such as have are closed.
    fn take_idle(&self) -> Option<Idle<D>> {
        let mut unneeded = Vec::new();
        let mut idle = self.idle();
        let taken = loop {
            match idle.pop_back() {
                Some(last) if self.has_had_its_time(&last) => unneeded.push(last),
                other => break other,
            }
        };
        drop(idle);
        for one in unneeded {
            close::<D>(one.connection, None);
        }
        taken
    }

    fn has_had_its_time(&self, one: &Idle<D>) -> bool {
        let options = self.pool.options();
        let is_over = |since: Instant, most: Option<Duration>| {
            most.is_some_and(|most| since.elapsed() >= most)
        };
        is_over(one.opened, options.get_max_lifetime())
            || is_over(one.since, options.get_idle_timeout())
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<Idle<D>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that was taken.
pub(crate) enum Taken<D: Dialect> {
    Shared(PoolConnection<D>),
    Own(Own<D>),
}

/// A connection of a pool that nobody else uses.
pub(crate) struct Own<D: Dialect> {
    connection: D::Connection,
    opened: Instant,
    /// That there is no server to lose, or that it answered a moment ago.
    is_known_to_live: bool,
    place: OwnedSemaphorePermit,
    home: Arc<Held<D>>,
}

impl<D: Dialect> Taken<D> {
    pub(crate) fn connection(&self) -> &D::Connection {
        match self {
            Self::Shared(connection) => connection,
            Self::Own(own) => &own.connection,
        }
    }

    pub(crate) fn connection_mut(&mut self) -> &mut D::Connection {
        match self {
            Self::Shared(connection) => connection,
            Self::Own(own) => &mut own.connection,
        }
    }

    /// Whether nothing is to be found out about it: it is ours, and it lives.
    pub(crate) fn is_known_to_live(&self) -> bool {
        match self {
            Self::Shared(_) => false,
            Self::Own(own) => own.is_known_to_live,
        }
    }

    /// For the next one to use.
    pub(crate) fn give_back(self) {
        match self {
            Self::Shared(connection) => drop(connection),
            Self::Own(Own {
                connection,
                opened,
                place,
                home,
                ..
            }) => home.give_back(connection, opened, place),
        }
    }

    /// It is of no more use. Its place is free when it has been closed.
    pub(crate) fn close(self) {
        match self {
            Self::Shared(mut connection) => connection.close_on_drop(),
            Self::Own(own) => close::<D>(own.connection, Some(own.place)),
        }
    }
}

/// Takes leave of the server, where there is still a runtime to do it in; otherwise the connection
/// just ends.
fn close<D: Dialect>(connection: D::Connection, place: Option<OwnedSemaphorePermit>) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            // Nobody waits for what the server says to it.
            let _farewell = timeout(FAREWELL, connection.close()).await;
            drop(place);
        });
    }
}

/// How long after its last answer a server is taken to be there still.
const LATELY: Duration = Duration::from_secs(1);
const FAREWELL: Duration = Duration::from_secs(5);
