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
    /// And somebody has got hold of a token, and presents it when it was superseded for so long.
    Theft(Duration),
}

/// What all devices know.
#[derive(Clone)]
struct World {
    /// Of nobody else's users: what others have left undone concerns nobody here.
    name: u64,
    habits: Habits,
    places: watch::Receiver<Vec<Place>>,
    stop: watch::Receiver<bool>,
    peers: Arc<Mutex<Vec<Peer>>>,
    history: Arc<History>,
}

/// Who has one device after the other.
#[derive(Default)]
struct Owner {
    /// Their sessions are over.
    former: Vec<Device>,
    /// The device as it was when somebody copied its tokens, and when it got others.
    copied: Option<(Duration, Device)>,
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
            name: dice.u64(..),
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
        let mut owner = Owner::default();
        while !*self.stop.borrow() {
            let user = self.some_user(&mut dice);
            let at = self.some_node(&mut dice);
            let Some(mut device) = Device::log_in(at, &user, &self.history).await else {
                sleep(BEFORE_ANOTHER_TRY).await;
                continue;
            };
            self.peers().push(device.peer().clone());
            while !*self.stop.borrow() {
                match self.act(&mut device, &mut owner, &mut dice).await {
                    Reply::Gone | Reply::Theft => {
                        self.use_in_vain(&device, &mut dice).await;
                        break;
                    }
                    Reply::Nothing | Reply::Unavailable => sleep(BEFORE_ANOTHER_TRY).await,
                    _ => {}
                }
            }
            owner.copied = None;
            owner.former.push(device);
        }
        owner.former
    }

    /// One of the things that a user might do; what came of it for the device's own session.
    async fn act(&self, device: &mut Device, owner: &mut Owner, dice: &mut Rng) -> Reply {
        let at = self.some_node(dice);
        match dice.u8(..100) {
            0..35 => self.refresh(device, owner, at).await,
            35..45 if self.habits != Habits::OneTab => {
                let other = self.some_node(dice);
                device.refresh_in_two_tabs(at, other, &self.history).await
            }
            35..50 => device.try_use(at, Check::Stateless, &self.history).await,
            50..62 => device.try_use(at, Check::Blacklist, &self.history).await,
            62..75 => device.try_use(at, Check::Database, &self.history).await,
            75..90 => self.use_a_former(owner, at, dice).await,
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

    /// With the newest token, or, by somebody else, with one that was superseded long ago.
    async fn refresh(&self, device: &mut Device, owner: &mut Owner, at: Place) -> Reply {
        let Habits::Theft(after) = self.habits else {
            return device.refresh(at, &self.history).await;
        };
        let is_due = |(since, _): &mut (Duration, _)| *since + after < self.history.now();
        if let Some((_, mut copy)) = owner.copied.take_if(is_due) {
            return copy.refresh(at, &self.history).await;
        }
        let copy = device.clone();
        let told = device.refresh(at, &self.history).await;
        if let Reply::Successor(_) = told {
            owner.copied.get_or_insert((self.history.now(), copy));
        }
        told
    }

    /// A session that was over long ago, perhaps, is over for good: on every node, whatever it asks.
    async fn use_a_former(&self, owner: &Owner, at: Place, dice: &mut Rng) -> Reply {
        let check = match dice.u8(..3) {
            0 => Check::Database,
            _ => Check::Blacklist,
        };
        let Some(former) = dice.choice(&owner.former) else {
            return Reply::Done;
        };
        match former.try_use(at, check, &self.history).await {
            Reply::Gone => Reply::Done,
            other => other,
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

    /// One of a few, so that some devices can end others, and of others after a while: an end of all
    /// sessions that was not heard of explains no more than the ends of those few.
    fn some_user(&self, dice: &mut Rng) -> String {
        let era = self.peers().len() / LOGINS_OF_AN_ERA;
        format!("{:x}-{era}-{}", self.name, dice.u8(..USERS))
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

const USERS: u8 = 3;
const LOGINS_OF_AN_ERA: usize = 12;
const BEFORE_ANOTHER_TRY: Duration = Duration::from_millis(20);
