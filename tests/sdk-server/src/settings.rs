//! What the suite's two setup calls say.

use std::{error::Error, time::Duration};

use serde::Deserialize;

use crate::keys::Rotation;

/// Why a setup call cannot be followed.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// What `/test/setup/st` says, and what `/test/setup/app` said before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The application's name. Those of one name have the same sessions.
    pub(crate) app: String,
    pub(crate) access_token_lifetime: Duration,
    /// How often the signing key is replaced, when that is to happen within a test.
    pub(crate) rotation: Option<Rotation>,
    /// Whether cookies need an anti-CSRF token.
    pub(crate) anti_csrf: bool,
    /// Whether scripts may read the access token of a cookie session, which then has a claim of the
    /// application's.
    pub(crate) jwt: bool,
}

impl Settings {
    /// The answer to `/test/setup/app`. The suite hands it to each process without looking at it,
    /// so it carries all that the call said.
    pub(crate) fn opaque_text(app_request: &[u8]) -> Result<String, BoxError> {
        Core::of(app_request)?;
        Ok(format!("{PREFIX}{}", str::from_utf8(app_request)?))
    }

    /// Reads `/test/setup/st`.
    pub(crate) fn of_request(body: &[u8]) -> Result<Self, BoxError> {
        let request: StRequest = serde_json::from_slice(body)?;
        let app_request = request.core_url.strip_prefix(PREFIX);
        let core = Core::of(
            app_request
                .ok_or("`coreUrl` is not of our making")?
                .as_bytes(),
        )?;
        Ok(Self {
            app: core.app,
            access_token_lifetime: core.access_token_lifetime,
            rotation: core.rotation,
            anti_csrf: request.enable_anti_csrf.unwrap_or(true),
            jwt: request.enable_jwt.unwrap_or(false),
        })
    }
}

/// What applies until the first setup call.
impl Default for Settings {
    fn default() -> Self {
        Self {
            app: String::new(),
            access_token_lifetime: LIFETIME,
            rotation: None,
            anti_csrf: true,
            jwt: false,
        }
    }
}

/// What `/test/setup/app` says.
struct Core {
    app: String,
    access_token_lifetime: Duration,
    rotation: Option<Rotation>,
}

impl Core {
    fn of(app_request: &[u8]) -> Result<Self, BoxError> {
        let request: AppRequest = serde_json::from_slice(app_request)?;
        let lifetime = request.core_config.access_token_validity;
        let rotation = request.core_config.access_token_signing_key_update_interval;
        let every = rotation.map(|hours| hours.times(3600.0)).transpose()?;
        if every.is_some_and(|every| every < SHORTEST_ROTATION) {
            return Err("keys cannot be made as often as that".into());
        }
        Ok(Self {
            app: request.app_id,
            access_token_lifetime: lifetime.map_or(Ok(LIFETIME), |seconds| seconds.times(1.0))?,
            rotation: every.map(|every| Rotation { every }),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppRequest {
    app_id: String,
    #[serde(default)]
    core_config: CoreConfig,
}

#[derive(Deserialize, Default)]
struct CoreConfig {
    /// In seconds.
    access_token_validity: Option<Number>,
    /// In hours.
    access_token_signing_key_update_interval: Option<Number>,
}

#[derive(Deserialize)]
struct StRequest {
    #[serde(rename = "coreUrl")]
    core_url: String,
    #[serde(rename = "enableAntiCsrf")]
    enable_anti_csrf: Option<bool>,
    #[serde(rename = "enableJWT")]
    enable_jwt: Option<bool>,
}

/// The suite writes some numbers as texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(f64),
    Text(String),
}

impl Number {
    fn times(self, unit_s: f64) -> Result<Duration, BoxError> {
        let number = match self {
            Self::Plain(number) => number,
            Self::Text(text) => text.parse()?,
        };
        Ok(Duration::try_from_secs_f64(number * unit_s)?)
    }
}

/// Keeps clients that read JSON wherever they can from reading the answer.
const PREFIX: &str = "memory:";

/// How long access tokens live when nothing is said.
const LIFETIME: Duration = Duration::from_hours(1);

/// Of a shorter one, more keys would be needed at once than can be made while somebody waits.
const SHORTEST_ROTATION: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    /// Contract §1, POST /test/setup/app: the other process knows nothing else than the text.
    #[test]
    fn the_text_carries_all_settings() {
        let app = br#"{"appId":"a","coreConfig":{"access_token_validity":5,"access_token_signing_key_update_interval":"0.002"}}"#;
        let text = Settings::opaque_text(app).unwrap();
        let request =
            serde_json::json!({"coreUrl": text, "enableAntiCsrf": false, "enableJWT": true});
        let expected = Settings {
            app: "a".to_owned(),
            access_token_lifetime: Duration::from_secs(5),
            rotation: Some(Rotation {
                every: Duration::from_millis(7_200),
            }),
            anti_csrf: false,
            jwt: true,
        };
        let settings = Settings::of_request(request.to_string().as_bytes()).unwrap();
        assert_eq!(settings, expected);
    }

    /// Contract §1: axios reads JSON where it can.
    #[test]
    fn the_text_is_no_json() {
        let text = Settings::opaque_text(br#"{"appId":"1"}"#).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let unreadable: [&[u8]; 6] = [
            b"",
            b"{}",
            br#"{"appId":"a","coreConfig":{"access_token_validity":-1}}"#,
            br#"{"appId":"a","coreConfig":{"access_token_validity":"soon"}}"#,
            br#"{"appId":"a","coreConfig":{"access_token_signing_key_update_interval":"0"}}"#,
            b"{\"appId\":\"\xff\"}",
        ];
        for body in unreadable {
            assert!(Settings::opaque_text(body).is_err(), "{body:?}");
        }
        let stranger = br#"{"coreUrl":"http://localhost:3567"}"#;
        assert!(Settings::of_request(stranger).is_err());
    }
}
