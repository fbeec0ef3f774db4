//! What is wrong, and how bad it is.

use std::process::ExitCode;

use serde_json::{Value, json};
use session_core::{
    Administration,
    finding::{Finding, Severity},
};

use crate::{
    failure::Failure,
    output::{Output, for_terminal},
};

pub(crate) async fn run(
    administration: &Administration,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let findings = administration.findings().await?;
    let offset = administration.clock_offset().await?;
    let value = json!({
        "findings": findings.iter().map(described).collect::<Vec<_>>(),
        "clock_offset_ms": offset.map(|offset| offset.as_millis().to_string().parse::<u64>().ok()),
    });
    output.result(&value, || {
        if findings.is_empty() {
            return "nothing is wrong".to_owned();
        }
        findings.iter().map(in_words).collect()
    })?;
    let is_dangerous = findings
        .iter()
        .any(|finding| finding.severity() >= Severity::Danger);
    Ok(if is_dangerous {
        ExitCode::from(DANGER)
    } else {
        ExitCode::SUCCESS
    })
}

fn described(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity().as_str(),
        "subject": finding.subject(),
        "value": finding.value(),
        "consequence": finding.consequence(),
        "remedy": finding.remedy(),
    })
}

fn in_words(finding: &Finding) -> String {
    format!(
        "{:<8} {}\n",
        finding.severity(),
        for_terminal(&finding.to_string())
    )
}

/// Apart from a failure to look.
const DANGER: u8 = 3;
