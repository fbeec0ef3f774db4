//! Rows as the server keeps them: texts and bytes, in the order that the scripts name.

use session_core::{
    KeyId, NodeId, NodeName, SessionHandle, TenantId, UserId,
    store::{KeyPurpose, KeyRecord, NodeRecord, Rotations, SessionRecord, StoreError},
};
use zeroize::Zeroizing;

/// What a script answers for a row.
pub(crate) type Row = Vec<Vec<u8>>;

/// A time as 20 digits that sort as the time does.
pub(crate) fn time_to_text(time_ms: i64) -> String {
    format!("{:020}", time_ms.cast_unsigned() ^ SIGN)
}

pub(crate) fn time_of(text: &[u8]) -> Result<i64, StoreError> {
    let number: u64 = number_of(text)?;
    Ok((number ^ SIGN).cast_signed())
}

pub(crate) fn number_of<T: std::str::FromStr>(text: &[u8]) -> Result<T, StoreError> {
    str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(StoreError::Corrupt("number"))
}

/// The fields of a session's row, after its handle.
pub(crate) fn session_to_fields(row: &SessionRecord) -> [Vec<u8>; 14] {
    let time = |time_ms| time_to_text(time_ms).into_bytes();
    [
        row.user.as_str().into(),
        row.tenant.as_str().into(),
        row.generation.to_string().into_bytes(),
        row.secret_hash.to_vec(),
        row.refresh_key.as_str().into(),
        row.rotations.to_text().into_bytes(),
        row.payload.as_str().into(),
        row.payload_version.to_string().into_bytes(),
        row.data.as_str().into(),
        time(row.created_at_ms),
        time(row.refreshed_at_ms),
        time(row.expires_at_ms),
        row.absolute_expires_at_ms.map(time).unwrap_or_default(),
        time(row.access_expires_at_ms),
    ]
}

/// The names of these fields.
pub(crate) const FIELDS: [&str; 14] = [
    "user",
    "tenant",
    "generation",
    "secret_hash",
    "refresh_key",
    "rotations",
    "payload",
    "payload_version",
    "data",
    "created_at",
    "refreshed_at",
    "expires_at",
    "absolute_expires_at",
    "access_expires_at",
];

/// The session whose fields these are; none when there is none.
pub(crate) fn session_with(
    handle: &SessionHandle,
    fields: Vec<Option<Vec<u8>>>,
) -> Result<Option<SessionRecord>, StoreError> {
    if fields.iter().all(Option::is_none) {
        return Ok(None);
    }
    let handle = Some(handle.as_str().into());
    let row: Option<Row> = [handle].into_iter().chain(fields).collect();
    row.ok_or(StoreError::Corrupt("session"))
        .and_then(session_of)
        .map(Some)
}

pub(crate) fn session_of(row: Row) -> Result<SessionRecord, StoreError> {
    let row: [Vec<u8>; 15] = row.try_into().map_err(|_| StoreError::Corrupt("session"))?;
    let [
        handle,
        user,
        tenant,
        generation,
        secret_hash,
        refresh_key,
        rotations,
        payload,
        payload_version,
        data,
        created_at,
        refreshed_at,
        expires_at,
        absolute_expires_at,
        access_expires_at,
    ] = row;
    let absolute_expires_at_ms = if absolute_expires_at.is_empty() {
        None
    } else {
        Some(time_of(&absolute_expires_at)?)
    };
    Ok(SessionRecord {
        handle: handle_of(handle)?,
        tenant: TenantId::try_from(text_of(tenant)?).map_err(|_| StoreError::Corrupt("tenant"))?,
        user: UserId::try_from(text_of(user)?).map_err(|_| StoreError::Corrupt("user"))?,
        generation: number_of(&generation)?,
        secret_hash: (secret_hash.try_into()).map_err(|_| StoreError::Corrupt("secret hash"))?,
        refresh_key: key_id_of(refresh_key)?,
        rotations: Rotations::parse(&text_of(rotations)?)?,
        payload: text_of(payload)?,
        payload_version: number_of(&payload_version)?,
        data: text_of(data)?,
        created_at_ms: time_of(&created_at)?,
        refreshed_at_ms: time_of(&refreshed_at)?,
        expires_at_ms: time_of(&expires_at)?,
        absolute_expires_at_ms,
        access_expires_at_ms: time_of(&access_expires_at)?,
    })
}

pub(crate) fn key_of(row: Row) -> Result<KeyRecord, StoreError> {
    let row: [Vec<u8>; 7] = row.try_into().map_err(|_| StoreError::Corrupt("key"))?;
    let [
        id,
        purpose,
        algorithm,
        created_at,
        material,
        is_sealed,
        sealed_under,
    ] = row;
    let sealed_under = match &*is_sealed {
        b"1" => Some(text_of(sealed_under)?),
        b"0" => None,
        _ => return Err(StoreError::Corrupt("key")),
    };
    Ok(KeyRecord {
        id: key_id_of(id)?,
        purpose: KeyPurpose::parse(&text_of(purpose)?)?,
        algorithm: text_of(algorithm)?,
        created_at_ms: time_of(&created_at)?,
        material: Zeroizing::new(material),
        sealed_under,
    })
}

pub(crate) fn node_of(row: Row) -> Result<NodeRecord, StoreError> {
    let corrupt = || StoreError::Corrupt("node");
    let [id, name, acknowledged]: [Vec<u8>; 3] = row.try_into().map_err(|_| corrupt())?;
    Ok(NodeRecord {
        id: NodeId::try_from(text_of(id)?).map_err(|_| corrupt())?,
        name: NodeName::try_from(text_of(name)?).map_err(|_| corrupt())?,
        acknowledged: number_of(&acknowledged)?,
    })
}

pub(crate) fn handle_of(text: Vec<u8>) -> Result<SessionHandle, StoreError> {
    SessionHandle::try_from(text_of(text)?).map_err(|_| StoreError::Corrupt("handle"))
}

fn key_id_of(text: Vec<u8>) -> Result<KeyId, StoreError> {
    KeyId::try_from(text_of(text)?).map_err(|_| StoreError::Corrupt("key id"))
}

fn text_of(text: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(text).map_err(|_| StoreError::Corrupt("text"))
}

/// Turned over, negative times come before the others.
const SIGN: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use super::*;

    /// A script and a look without one read the same.
    #[test]
    fn the_scripts_know_the_same_fields() {
        let prelude = include_str!("scripts/prelude.lua");
        let (_, list) = prelude.split_once("FIELDS = {").unwrap();
        let (list, _) = list.split_once('}').unwrap();
        let named: Vec<&str> = list.split('\'').skip(1).step_by(2).collect();
        assert_eq!(named, FIELDS);
    }

    /// H15: the scripts compare times as texts.
    #[test]
    fn times_sort_as_texts_do() {
        let times = [
            i64::MIN,
            i64::MIN + 1,
            -1,
            0,
            1,
            1_700_000_000_000,
            i64::MAX,
        ];
        let texts: Vec<String> = times.into_iter().map(time_to_text).collect();
        assert!(texts.is_sorted());
        for (time, text) in times.into_iter().zip(&texts) {
            assert_eq!(text.len(), 20);
            assert_eq!(time_of(text.as_bytes()).unwrap(), time);
        }
    }
}
