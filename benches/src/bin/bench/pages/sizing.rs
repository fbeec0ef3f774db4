//! What the figures mean for a service: how much of everything it needs.

use bench::row::{Row, Unit};

use crate::words;

/// The part of the page that helps to size a service.
pub(crate) fn of_a_service(rows: &[Row]) -> String {
    let figures = Figures(rows);
    let mut lines = vec![
        "| one core checks | in a second |".to_owned(),
        "|---|---:|".to_owned(),
    ];
    for (name, what) in [
        ("verify-new", "tokens never seen"),
        ("verify-seen-hot", "tokens seen before, few of them"),
        ("verify-seen-many", "tokens seen before, of many"),
        (
            "checks-blacklist",
            "tokens never seen, and the set of revoked sessions",
        ),
        (
            "checks-database",
            "tokens never seen, and the row in SQLite",
        ),
    ] {
        lines.extend(
            figures
                .of(name)
                .map(|time| format!("| {what} | {} |", rounded(1e9 / time))),
        );
    }
    lines.extend(["", "| each takes | |", "|---|---:|"].map(str::to_owned));
    for (name, what) in [
        (
            "blacklist-memory",
            "a revoked session, in the memory of every node until its last token expires",
        ),
        ("seen-memory", "a remembered token, in the memory of a node"),
        (
            "size-sqlite",
            "a session and a tenth of a revocation, on the disk of SQLite",
        ),
        ("size-postgresql", "the same on the disk of PostgreSQL"),
    ] {
        lines.extend(
            figures
                .of(name)
                .map(|bytes| format!("| {what} | {} |", words::figure(Unit::BytesPerEntry, bytes))),
        );
    }
    lines.extend(
        [
            "",
            "| a call takes, one after the other | SQLite | PostgreSQL |",
            "|---|---:|---:|",
        ]
        .map(str::to_owned),
    );
    for (group, what) in [
        ("login", "a login"),
        ("refresh", "a refresh"),
        ("database", "a check of the database"),
    ] {
        let ending = if group == "database" { "-1" } else { "" };
        let times = ["sqlite", "postgresql"].map(|database| {
            let time = figures.of(&format!("{group}-{database}{ending}"));
            time.map_or_else(
                || "–".to_owned(),
                |time| words::figure(Unit::Nanoseconds, time),
            )
        });
        lines.push(format!("| {what} | {} |", times.join(" | ")));
    }
    lines.extend(of_live_sessions(&figures));
    lines.push(String::new());
    lines.join("\n")
}

/// What settings cost.
pub(crate) fn of_settings(rows: &[Row]) -> String {
    let figures = Figures(rows);
    let mut lines = vec![
        "| setting | a check takes |".to_owned(),
        "|---|---:|".to_owned(),
    ];
    for (name, setting) in [
        ("verify-new", "`rsa_key_size` of 2048 bits, the default"),
        ("verify-new-3072", "`rsa_key_size` of 3072 bits"),
        ("verify-new-4096", "`rsa_key_size` of 4096 bits"),
        (
            "verify-seen-hot",
            "`verified_tokens`, for a token that is remembered",
        ),
        (
            "verify-new-remembered",
            "`verified_tokens`, for a token that is not yet",
        ),
        ("checks-stateless", "`Check::Stateless`"),
        ("checks-blacklist", "`Check::Blacklist`"),
        ("checks-database", "`Check::Database`, on SQLite"),
    ] {
        lines.extend(
            figures
                .of(name)
                .map(|time| format!("| {setting} | {} |", words::figure(Unit::Nanoseconds, time))),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Of services with access tokens of an hour, whose every session is in use.
fn of_live_sessions(figures: &Figures<'_>) -> Vec<String> {
    let (Some(refresh), Some(disk)) = (
        figures.of("refresh-postgresql"),
        figures.of("size-postgresql"),
    ) else {
        return Vec::new();
    };
    let head = "| sessions in use, tokens of an hour | refreshes a second | callers they keep busy \
                | on the disk of PostgreSQL |";
    let mut lines = ["", head, "|---:|---:|---:|---:|"]
        .map(str::to_owned)
        .to_vec();
    for sessions in [1e5, 1e6, 1e7] {
        let refreshes = sessions / 3_600.0;
        lines.push(format!(
            "| {} | {} | {} | {} GB |",
            words::grouped(sessions),
            rounded(refreshes),
            words::digits(refreshes * refresh / 1e9),
            words::digits(sessions * disk / 1e9)
        ));
    }
    lines
}

/// Medians by the names of rows.
struct Figures<'a>(&'a [Row]);

impl Figures<'_> {
    fn of(&self, name: &str) -> Option<f64> {
        let row = self.0.iter().find(|row| row.name == name);
        row.map(|row| row.ours.median)
    }
}

/// To three digits that count.
fn rounded(value: f64) -> String {
    let unit = 10_f64.powf((value.log10() - 2.0).floor()).max(1.0);
    words::grouped((value / unit).round() * unit)
}
