//! Whom the tool trusts and as whom it introduces itself to Redis; the addresses of SQL databases say
//! that by themselves.

use std::{env, fs, path::PathBuf};

use session_redis::ConnectOptions;

use crate::failure::Failure;

/// The settings with the certificates in the files that the environment names.
pub(crate) fn configured(options: ConnectOptions) -> Result<ConnectOptions, Failure> {
    let options = match content(ROOT)? {
        Some(pem) => options.root_certificate(pem),
        None => options,
    };
    match (content(CERTIFICATE)?, content(KEY)?) {
        (Some(pem), Some(key_pem)) => Ok(options.client_certificate(pem, key_pem)),
        (None, None) => Ok(options),
        _ => Err(Failure::HalfACertificate),
    }
}

fn content(variable: &str) -> Result<Option<Vec<u8>>, Failure> {
    let Some(path) = env::var_os(variable).filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let path = PathBuf::from(path);
    let read = fs::read(&path);
    read.map(Some)
        .map_err(|source| Failure::File { path, source })
}

const ROOT: &str = "SESSION_REDIS_ROOT_CERTIFICATE";
const CERTIFICATE: &str = "SESSION_REDIS_CLIENT_CERTIFICATE";
const KEY: &str = "SESSION_REDIS_CLIENT_KEY";
