//! The course of a command: a heading per step, how long it took, and what failed, at the end.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// Steps done so far.
pub(crate) struct Report {
    steps: Vec<Step>,
}

struct Step {
    heading: &'static str,
    took: Duration,
    outcome: Result<(), String>,
}

impl Report {
    /// A report of nothing yet.
    pub(crate) fn new() -> Self {
        Self { steps: Vec::new() }
    }

    /// Runs one step. A failure is kept for the end, so that one run shows all there is to mend.
    pub(crate) fn step(&mut self, heading: &'static str, run: impl FnOnce() -> Result<(), String>) {
        println!("\n=== {heading}");
        let started = now();
        let outcome = run();
        let took = started.elapsed();
        match &outcome {
            Ok(()) => println!("--- {heading}: ok, {:.1} s", took.as_secs_f64()),
            Err(_) => println!("--- {heading}: FAILED, {:.1} s", took.as_secs_f64()),
        }
        self.steps.push(Step {
            heading,
            took,
            outcome,
        });
    }

    /// Prints every step with its time and what failed, and says how the command ends.
    pub(crate) fn close(self) -> ExitCode {
        println!("\n=== summary");
        let mut total = Duration::ZERO;
        let mut failed = Vec::new();
        for step in &self.steps {
            total += step.took;
            let mark = if step.outcome.is_ok() { "ok" } else { "FAILED" };
            println!(
                "{:>8.1} s  {mark:<6}  {}",
                step.took.as_secs_f64(),
                step.heading
            );
            failed.extend(
                step.outcome
                    .as_ref()
                    .err()
                    .map(|problem| (step.heading, problem)),
            );
        }
        println!("{:>8.1} s  in all", total.as_secs_f64());
        for (heading, problem) in &failed {
            println!("\nfailed: {heading}\n{problem}");
        }
        if failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a developer's command times itself"
)]
fn now() -> Instant {
    Instant::now()
}
