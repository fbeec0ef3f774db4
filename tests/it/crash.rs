//! Servers that are killed while clients refresh and end sessions, and what the clients find when
//! the server is there again.

mod device;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use history::{Check, Deed, History, Promise, Reply};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    client::Transport,
    dice,
    example::Example,
    server::{Database, PATIENCE, Server},
};
use device::{Device, Next, SERVER};

/// L1, F8, F19, G10: SIGKILL at any moment, two hundred times. No acknowledged login, refresh or
/// revocation is missing, what was not acknowledged has happened or has not, nobody is taken for a
/// thief, and every client whose session was not ended goes on.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let database = Database::new();
    let history = Arc::new(History::default());
    let mut server = Server::start(Example::Axum, &database).await;
    let (mut live, mut ended) = (Vec::new(), Vec::new());
    for kills in 1..=KILLS {
        while live.len() < DEVICES {
            let device = new_device(&server, &history).await;
            live.push(device.expect("a login is not answered"));
        }
        let load = put_under_load(live, &server, &history);
        sleep(Duration::from_millis(20 + dice::below(100))).await;
        let began = history.now();
        let address = server.kill().await;
        let used = timeout(PATIENCE, load.join_all()).await;
        server = Server::start_again(Example::Axum, &database, address).await;
        history.record_absence(SERVER, began);

        let used = used.expect("a client is stuck").into_iter().flatten();
        let devices = find_out(used, &database, &history).await;
        let (gone, going_on): (Vec<_>, Vec<_>) = devices.into_iter().partition(Device::is_over);
        ended.extend(gone);
        live = going_on;
        history.assert_consistent(&PROMISE, &format!("after {kills} kills"));
    }

    // What ended in any round has ended for good.
    let ended = find_out(ended, &database, &history).await;
    history.assert_consistent(&PROMISE, "in the end");
    assert!(ended.iter().all(Device::is_over));
    let log = database.log_text();
    assert!(!log.contains("panicked"), "{log}");
    assert_telling(&history);
}

/// All devices at work at once, each until it hears nothing more from the server. One whose session
/// is over logs in again. Gives back every session that was used.
fn put_under_load(
    devices: Vec<Device>,
    server: &Server,
    history: &Arc<History>,
) -> JoinSet<Vec<Device>> {
    let peers: Vec<_> = devices.iter().map(Device::as_peer).collect();
    let mut load = JoinSet::new();
    for mut device in devices {
        device.meet(&peers);
        let (server, history) = (server.address(), Arc::clone(history));
        load.spawn(async move {
            let mut used = Vec::new();
            loop {
                match device.act(&history).await {
                    Next::GoOn => continue,
                    Next::NoServer => {
                        used.push(device);
                        return used;
                    }
                    Next::Over => {}
                }
                let again = Device::log_in(server, device.user(), device.transport(), &history);
                let again = again.await;
                used.push(device);
                match again {
                    Some(again) => device = again,
                    None => return used,
                }
            }
        });
    }
    load
}

/// Looks at each session in the database, and lets its client try to go on.
async fn find_out(
    devices: impl IntoIterator<Item = Device>,
    database: &Database,
    history: &History,
) -> Vec<Device> {
    let store = database.open().await;
    let finding_out = devices.into_iter().map(async |mut device| {
        device.find_out(&store, history).await;
        device
    });
    join_all(finding_out).await
}

async fn new_device(server: &Server, history: &History) -> Option<Device> {
    let user = format!("user-{}", dice::below(USERS));
    let transport = match dice::below(2) {
        0 => Transport::Cookies,
        _ => Transport::Headers,
    };
    Device::log_in(server.address(), &user, transport, history).await
}

/// Fails if so little happened that nothing is proved.
#[track_caller]
fn assert_telling(history: &History) {
    let refreshed = history.refreshes();
    let ended = history.endings();
    let unheard = history.count(|event| {
        let writes = matches!(event.deed, Deed::Refresh(_) | Deed::End | Deed::SignOut);
        event.reply == Reply::Nothing && writes
    });
    let refused = history
        .count(|event| (&event.deed, &event.reply) == (&Deed::Use(Check::Database), &Reply::Gone));
    println!(
        "{KILLS} kills: {refreshed} refreshes and {ended} revocations acknowledged, {unheard} \
         unheard of, {refused} uses of ended sessions refused"
    );
    assert!(refreshed > 5 * KILLS, "{refreshed} refreshes");
    assert!(ended > KILLS / 4, "{ended} revocations");
    assert!(unheard > KILLS / 2, "{unheard} without an answer");
    assert!(refused > KILLS / 4, "{refused} refused");
}

/// No token is used again on purpose, no blacklist is asked, and the database is always there.
const PROMISE: Promise = Promise {
    max_staleness: Duration::ZERO,
    grace: Duration::MAX,
    recovery: Duration::ZERO,
    lingers: Duration::from_mins(1),
    // The example's is a minute, less what is taken off at random.
    access_lifetime: Duration::from_secs(55),
};
const KILLS: usize = 200;
const DEVICES: usize = 8;
/// So that some devices can end others.
const USERS: u64 = 3;
