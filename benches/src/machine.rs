//! Which machine it was.

use std::fs;

/// Its processor, its memory, its system, and how busy it was.
pub fn description() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let named = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value
            .map_or("unknown", |(_, value)| value.trim())
            .to_owned()
    };
    let count = processors
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let memory = named(&read("/proc/meminfo"), "MemTotal");
    let kilobytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let load = read("/proc/loadavg");
    let release = read("/proc/sys/kernel/osrelease");
    let version: Vec<&str> = release.trim().splitn(3, '.').take(2).collect();
    format!(
        "{count} processors ({}), {} GiB of memory, Linux {}; a load of {} when it began",
        named(&processors, "model name"),
        kilobytes.div_ceil(1 << 20),
        version.join("."),
        load.split(' ').next().unwrap_or("unknown")
    )
}
