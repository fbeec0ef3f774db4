//! The application that the suite has asked for: its sessions, and what its routes depend on.

use session_core::{
    AppInfo, MemoryStore, Sessions,
    config::{AccessTokenExposure, AntiCsrf, defaults},
};

use crate::{
    cors,
    settings::{BoxError, Settings},
};

/// One of the suite's applications.
pub(crate) struct Application {
    pub(crate) sessions: Sessions,
    pub(crate) store: MemoryStore,
    /// Whether scripts may read the access token, which has a claim for that.
    pub(crate) jwt: bool,
}

impl Application {
    /// The application behind this port. Reads its keys and makes none, as the next request waits.
    pub(crate) async fn start(
        settings: &Settings,
        store: MemoryStore,
        port: u16,
    ) -> Result<Self, BoxError> {
        let app = AppInfo::new(format!("http://0.0.0.0:{port}"), cors::ORIGIN);
        let lifetime = settings.access_token_lifetime;
        let sessions = Sessions::builder(app)
            .store(store.clone())
            .config(|config| {
                config
                    .access_token_lifetime(lifetime)
                    .expiry_jitter(0.0)
                    .rotation_grace(defaults::ROTATION_GRACE.min(lifetime / 2))
                    .max_staleness(defaults::MAX_STALENESS.min(lifetime / 2))
                    .anti_csrf(if settings.anti_csrf {
                        AntiCsrf::ViaToken
                    } else {
                        AntiCsrf::None
                    })
                    .access_token_exposure(if settings.jwt {
                        AccessTokenExposure::CookieAndHeader
                    } else {
                        AccessTokenExposure::CookieOnly
                    })
            })
            .build()
            .await?;
        Ok(Self {
            sessions,
            store,
            jwt: settings.jwt,
        })
    }
}
