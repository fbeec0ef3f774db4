//! The at-rest secrets, from files and the environment, never from what `ps` shows.

use std::{env, fs, path::Path};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use session_core::config::SessionConfigBuilder;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// A secret and the name that stored keys know it by.
pub(crate) struct Secret {
    name: String,
    bytes: Zeroizing<Vec<u8>>,
}

/// The secrets that files hold, given as `NAME=FILE`, or else those of the environment.
pub(crate) fn find(files: &[String]) -> Result<Vec<Secret>, Failure> {
    if files.is_empty() {
        let lines = Zeroizing::new(env::var(VARIABLE).unwrap_or_default());
        return lines
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let (name, secret) = line.split_once('=').ok_or(Failure::SecretForm("SECRET"))?;
                Secret::read(name, secret.as_bytes())
            })
            .collect();
    }
    files
        .iter()
        .map(|argument| {
            let (name, file) = argument
                .split_once('=')
                .ok_or(Failure::SecretForm("FILE"))?;
            let content = fs::read(file).map_err(|source| Failure::File {
                path: Path::new(file).to_owned(),
                source,
            })?;
            Secret::read(name, &Zeroizing::new(content))
        })
        .collect()
}

/// The settings with these secrets: the first one encrypts.
pub(crate) fn configured(
    config: SessionConfigBuilder,
    secrets: Vec<Secret>,
) -> SessionConfigBuilder {
    let mut secrets = secrets.into_iter();
    let Some(primary) = secrets.next() else {
        return config;
    };
    let config = config.encryption_secret(primary.name, primary.bytes.to_vec());
    secrets.fold(config, |config, older| {
        config.older_encryption_secret(older.name, older.bytes.to_vec())
    })
}

impl Secret {
    fn read(name: &str, content: &[u8]) -> Result<Self, Failure> {
        let bytes = match content.strip_prefix(b"base64:") {
            Some(encoded) => BASE64_STANDARD
                .decode(encoded.trim_ascii())
                .map_err(|_| Failure::NotBase64(name.to_owned()))?,
            None => content.to_vec(),
        };
        Ok(Self {
            name: name.to_owned(),
            bytes: Zeroizing::new(bytes),
        })
    }
}

const VARIABLE: &str = "SESSION_ENCRYPTION_SECRETS";

#[cfg(test)]
mod tests {
    use super::*;

    /// A secret is random bytes, and the last of them may look like the end of a line.
    #[test]
    fn a_secret_is_taken_as_it_is_unless_it_says_otherwise() {
        let plain = Secret::read("a", b"\x00\xffsecret\n").unwrap();
        assert_eq!(*plain.bytes, b"\x00\xffsecret\n");
        let encoded = Secret::read("a", b"base64:AP8=\n").unwrap();
        assert_eq!(*encoded.bytes, b"\x00\xff");
        let refused = Secret::read("a", b"base64:!");
        assert!(matches!(refused, Err(Failure::NotBase64(name)) if name == "a"));
    }
}
