//! Listing and changing keys. What is in one is never shown.

use serde_json::{Value, json};
use session_core::{
    Administration, BackendError, KeyId, SessionError,
    keys::{KeyError, KeyRotation, StoredKey},
    store::KeyPurpose,
};

use crate::{
    arguments::KeyAction,
    failure::Failure,
    output::{Output, confirm, moment, table},
};

pub(crate) async fn run(
    administration: &Administration,
    action: Option<KeyAction>,
    output: &Output,
) -> Result<(), Failure> {
    match action {
        None | Some(KeyAction::List) => list(administration, output).await,
        Some(KeyAction::Rotate { bits }) => {
            let rotation = match bits {
                Some(size) => administration.rotate_signing_key_to(size).await,
                None => administration.rotate_signing_key().await,
            };
            match rotation {
                Err(SessionError::Unavailable(BackendError::Keys(KeyError::SizeUnknown))) => {
                    Err(Failure::NoKeySize)
                }
                rotation => tell(rotation?, output),
            }
        }
        Some(KeyAction::RotateRefresh) => tell(administration.rotate_refresh_key().await?, output),
        Some(KeyAction::Remove { id, yes }) => remove(administration, &id, yes, output).await,
        Some(KeyAction::ReEncrypt) => {
            let encrypted = administration.encrypt_keys_anew().await?;
            output.result(&json!({ "encrypted": encrypted }), || {
                format!(
                    "{encrypted} keys encrypted under the first secret; the others were already"
                )
            })
        }
    }
}

async fn list(administration: &Administration, output: &Output) -> Result<(), Failure> {
    let keys = administration.keys().await?;
    let values: Vec<Value> = keys.iter().map(described).collect();
    output.result(&json!(values), || {
        let rows: Vec<[String; 6]> = keys
            .iter()
            .map(|key| {
                [
                    key.id().to_string(),
                    key.purpose().as_str().to_owned(),
                    key.bits().map_or_else(String::new, |bits| bits.to_string()),
                    key.state().as_str().to_owned(),
                    moment(key.created_at()),
                    key.sealed_under().unwrap_or("in the clear").to_owned(),
                ]
            })
            .collect();
        table(
            [
                "ID",
                "PURPOSE",
                "BITS",
                "STATE",
                "CREATED",
                "ENCRYPTED UNDER",
            ],
            &rows,
        )
    })
}

fn described(key: &StoredKey) -> Value {
    json!({
        "id": key.id(),
        "purpose": key.purpose().as_str(),
        "algorithm": key.algorithm(),
        "bits": key.bits(),
        "state": key.state().as_str(),
        "created_at": moment(key.created_at()),
        "sealed_under": key.sealed_under(),
    })
}

fn tell(rotation: KeyRotation, output: &Output) -> Result<(), Failure> {
    let (id, is_new) = match rotation {
        KeyRotation::Made(id) => (id, true),
        KeyRotation::MadeAlready(id) => (id, false),
        // A later version of the library may know more outcomes.
        _ => return Ok(()),
    };
    output.result(&json!({ "key": id, "made": is_new }), || {
        if is_new {
            format!("{id} was made; nodes use it when every one has read it, in a minute, or at once where there was none")
        } else {
            format!("{id} was made less than a minute ago; no other was made")
        }
    })
}

async fn remove(
    administration: &Administration,
    id: &KeyId,
    is_agreed: bool,
    output: &Output,
) -> Result<(), Failure> {
    let keys = administration.keys().await?;
    let key = keys
        .iter()
        .find(|key| key.id() == id)
        .ok_or(Failure::NoKey)?;
    if key.purpose() == KeyPurpose::Refresh {
        confirm(
            is_agreed,
            "No session whose current refresh token was made with this key can be refreshed any more.",
        )?;
    }
    if !administration.remove_key(id).await? {
        return Err(Failure::NoKey);
    }
    output.result(&json!({ "removed": id }), || {
        format!("{id} is removed; nodes refuse what was made with it within half a minute")
    })
}
