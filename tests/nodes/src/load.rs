//! Clients at work, on all nodes at once.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use history::{Check, History, Reply};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::{
    device::{Device, Peer},
    node::Place,
};

/// Devices that use, refresh and end their sessions until they are told to stop.
#[derive(Debug)]
pub struct Load {
    devices: JoinSet<Vec<Device>>,
    stop: watch::Sender<bool>,
}

/// How clients behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Habits {
    /// A client presents its newest token and waits for the answer.
    OneTab,
    /// Two tabs of a client may present the same token at the same time, to different nodes.
    TwoTabs,
}

/// What all devices know.
#[derive(Clone)]
struct World {
    habits: Habits,
    places: watch::Receiver<Vec<Place>>,
    stop: watch::Receiver<bool>,
    peers: Arc<Mutex<Vec<Peer>>>,
    history: Arc<History>,
}

impl Load {
    /// Puts so many devices to work, with sessions of their own.
    pub fn start(
        devices: usize,
        habits: Habits,
        places: watch::Receiver<Vec<Place>>,
        history: &Arc<History>,
        dice: &mut Rng,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let world = World {
            habits,
            places,
            stop: stopped,
            peers: Arc::default(),
            history: Arc::clone(history),
        };
        let devices = (0..devices)
            .map(|_| world.clone().work(dice.fork()))
            .collect();
        Self { devices, stop }
    }

    /// Ends the work, and gives back every device that there was.
    pub async fn stop(self) -> Vec<Device> {
        self.stop.send_replace(true);
        self.devices
            .join_all()
            .await
            .into_iter()
            .flatten()
            .collect()
    }
}

impl World {
    /// One device after the other.
    async fn work(self, mut dice: Rng) -> Vec<Device> {
        let mut devices = Vec::new();
        while !*self.stop.borrow() {
            let user = format!("user-{}", dice.u8(..USERS));
            let at = self.some_node(&mut dice);
            let Some(mut device) = Device::log_in(at, &user, &self.history).await else {
                sleep(BEFORE_ANOTHER_TRY).await;
                continue;
            };
            self.peers().push(device.peer().clone());
            while !*self.stop.borrow() {
                match self.act(&mut device, &mut dice).await {
                    Reply::Gone | Reply::Theft => {
                        self.use_in_vain(&device, &mut dice).await;
                        break;
                    }
                    Reply::Nothing | Reply::Unavailable => sleep(BEFORE_ANOTHER_TRY).await,
                    _ => {}
                }
            }
            devices.push(device);
        }
        devices
    }

    /// One of the things that a user might do; what came of it for the device's own session.
    async fn act(&self, device: &mut Device, dice: &mut Rng) -> Reply {
        let at = self.some_node(dice);
        match dice.u8(..100) {
            0..40 => device.refresh(at, &self.history).await,
            40..50 if self.habits == Habits::TwoTabs => {
                let other = self.some_node(dice);
                device.refresh_in_two_tabs(at, other, &self.history).await
            }
            40..60 => device.try_use(at, Check::Stateless, &self.history).await,
            60..75 => device.try_use(at, Check::Blacklist, &self.history).await,
            75..90 => device.try_use(at, Check::Database, &self.history).await,
            90..95 => match device.peer().end(at, &self.history).await {
                Reply::Done => Reply::Gone,
                other => other,
            },
            95..98 => {
                let peer = dice.choice(&*self.peers()).cloned();
                if let Some(peer) = peer {
                    peer.end(at, &self.history).await;
                }
                Reply::Done
            }
            _ => match device.peer().end_all(at, &self.history).await {
                Reply::Done => Reply::Gone,
                other => other,
            },
        }
    }

    /// Uses of a session that is over: the history will tell whether they should have failed.
    async fn use_in_vain(&self, device: &Device, dice: &mut Rng) {
        for check in [Check::Database, Check::Blacklist, Check::Stateless] {
            device
                .try_use(self.some_node(dice), check, &self.history)
                .await;
        }
    }

    fn some_node(&self, dice: &mut Rng) -> Place {
        *dice
            .choice(&*self.places.borrow())
            .expect("there are no nodes")
    }

    fn peers(&self) -> std::sync::MutexGuard<'_, Vec<Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So that some devices can end others.
const USERS: u8 = 3;
const BEFORE_ANOTHER_TRY: Duration = Duration::from_millis(20);
