//! Who is measured under load, and beside whom.

/// A server of the one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    /// A framework of Rust, without any session.
    Bare(&'static str),
    /// A framework of Rust, with a session of ours.
    Ours(&'static str, Check),
    /// A framework of Rust, with a token that the crate `jsonwebtoken` verifies.
    Jsonwebtoken(&'static str),
    /// axum, with the crate `tower-sessions`.
    TowerSessions(Store),
    /// actix-web, with the crate `actix-session`.
    ActixSession(Store),
    /// A framework of Node.js, with a session of the official SDK: the token alone, or the core, too.
    SuperTokens(&'static str, Asks),
    /// A framework of Node.js, with a token that `jose` verifies.
    Jose(&'static str),
}

/// How far a session of ours is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Its token, which is verified anew each time.
    New,
    /// Its token, which was verified before and is remembered.
    Seen,
    /// Its token, and the database.
    Database(Store),
}

/// Where sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Cookie,
    Sqlite,
    Redis,
}

/// Whom the SDK asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Nobody,
    TheCore,
}

/// Two contenders, and what is asked of the first.
pub(crate) struct Comparison {
    pub(crate) name: String,
    pub(crate) ours: Contender,
    pub(crate) theirs: Contender,
    /// So many times the requests of the second; nothing where it only stands beside the others.
    pub(crate) least: Option<f64>,
}

/// Everything that there is to compare.
pub(crate) fn comparisons() -> Vec<Comparison> {
    let mut all = Vec::new();
    let mut add = |name: String, ours, theirs, least| {
        all.push(Comparison {
            name,
            ours,
            theirs,
            least,
        });
    };
    let database = Check::Database(Store::Sqlite);
    for (kind, check, asks, express, fastify) in [
        ("new", Check::New, Asks::Nobody, 8.0, 4.0),
        ("database", database, Asks::TheCore, 12.0, 12.0),
    ] {
        let ours = Contender::Ours("axum", check);
        for (framework, least) in [("express", express), ("fastify", fastify)] {
            let theirs = Contender::SuperTokens(framework, asks);
            add(
                format!("requests-{kind}-{framework}"),
                ours,
                theirs,
                Some(least),
            );
        }
        for framework in ["actix", "rocket", "warp"] {
            let ours = Contender::Ours(framework, check);
            let theirs = Contender::SuperTokens("express", asks);
            add(
                format!("requests-{kind}-express-{framework}"),
                ours,
                theirs,
                None,
            );
        }
    }
    let express = Contender::SuperTokens("express", Asks::Nobody);
    for framework in FRAMEWORKS {
        let (name, least) = match framework {
            "axum" => ("requests-seen-express".to_owned(), Some(25.0)),
            other => (format!("requests-seen-express-{other}"), None),
        };
        add(
            name,
            Contender::Ours(framework, Check::Seen),
            express,
            least,
        );
        let ours = Contender::Ours(framework, Check::New);
        let jsonwebtoken = Contender::Jsonwebtoken(framework);
        add(
            format!("requests-jsonwebtoken-{framework}"),
            ours,
            jsonwebtoken,
            None,
        );
        add(
            format!("requests-bare-{framework}"),
            ours,
            Contender::Bare(framework),
            None,
        );
    }
    let on_axum = |store| Contender::Ours("axum", Check::Database(store));
    let on_actix = |check| Contender::Ours("actix", check);
    for (name, ours, theirs) in [
        (
            "tower-sessions-sqlite",
            on_axum(Store::Sqlite),
            Contender::TowerSessions(Store::Sqlite),
        ),
        (
            "tower-sessions-redis",
            on_axum(Store::Redis),
            Contender::TowerSessions(Store::Redis),
        ),
        (
            "actix-session-cookie",
            on_actix(Check::New),
            Contender::ActixSession(Store::Cookie),
        ),
        (
            "actix-session-redis",
            on_actix(Check::Database(Store::Redis)),
            Contender::ActixSession(Store::Redis),
        ),
        (
            "jose-express",
            Contender::Ours("axum", Check::New),
            Contender::Jose("express"),
        ),
        (
            "jose-fastify",
            Contender::Ours("axum", Check::New),
            Contender::Jose("fastify"),
        ),
    ] {
        add(format!("requests-{name}"), ours, theirs, None);
    }
    all
}

const FRAMEWORKS: [&str; 4] = ["axum", "actix", "rocket", "warp"];
