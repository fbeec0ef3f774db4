//! The route with the crate `jsonwebtoken`, as people write it on each framework: a key that was
//! read once, and an extractor, a guard or a filter that gives a handler the claims.

mod on_actix;
mod on_axum;
mod on_rocket;
mod on_warp;

use std::{fs, path::Path, sync::Arc};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::JwkSet};
use serde::Deserialize;

use crate::Problem;

/// Who serves.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Framework {
    Axum,
    Actix,
    Rocket,
    Warp,
}

/// Serves until the process ends.
pub(crate) async fn serve(framework: Framework, folder: &Path) -> Result<(), Problem> {
    let verifier = Verifier::with_keys_in(&folder.join("jwks.json"))?;
    match framework {
        Framework::Axum => on_axum::serve(verifier).await,
        Framework::Actix => on_actix::serve(verifier).await,
        Framework::Rocket => on_rocket::serve(verifier).await,
        Framework::Warp => on_warp::serve(verifier).await,
    }
}

/// What a handler wants to know of a token.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
}

/// The key of the dynamic kind, and what is asked of a token.
#[derive(Clone)]
struct Verifier(Arc<(DecodingKey, Validation)>);

impl Verifier {
    fn with_keys_in(file: &Path) -> Result<Self, Problem> {
        let keys: JwkSet = serde_json::from_slice(&fs::read(file)?)?;
        let signing = keys.keys.iter().find(|key| {
            let id = key.common.key_id.as_deref();
            id.is_some_and(|id| id.starts_with("d-"))
        });
        let signing = signing.ok_or("there is no key that signs tokens")?;
        let key = DecodingKey::from_jwk(signing)?;
        Ok(Self(Arc::new((key, Validation::new(Algorithm::RS256)))))
    }

    /// The claims of a token that is good: of the header `authorization`.
    fn verify(&self, authorization: Option<&str>) -> Option<Claims> {
        let (key, validation) = &*self.0;
        let token = authorization?.strip_prefix("Bearer ")?;
        let data = decode::<Claims>(token, key, validation);
        data.ok().map(|data| data.claims)
    }
}
