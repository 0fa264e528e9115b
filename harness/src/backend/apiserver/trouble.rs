//! What is told when a component does not start, or ends: the cause in its own words, its last lines,
//! and what to do.

use std::process::ExitStatus;
use std::time::Duration;

use crate::error::Error;
use crate::lifecycle::Process;

/// How many of its last lines are shown.
const LINES: usize = 12;

/// A component ended that should run.
pub(super) fn ended(process: &Process, how: ExitStatus) -> Error {
    let component = process.component();
    let log = process.last_lines(200);
    let message = match cause(&log) {
        Some(cause) => format!("{component} ended ({how}): {cause}"),
        None => format!("{component} ended ({how})"),
    };
    let hint = if port_was_taken(process) {
        "something else takes the ports of this machine as fast as they are chosen: try again"
    } else if log.contains("no space left on device") {
        "make room on the disk, or name another place with TMPDIR"
    } else {
        "--logs DIR keeps what all components say"
    };
    Error::environment(message)
        .details(
            format!("last lines of {component}:"),
            &process.last_lines(LINES),
        )
        .hint(hint)
}

/// A component runs, and does not become ready.
pub(super) fn not_ready(process: &Process, waited: Duration, last: &str) -> Error {
    let component = process.component();
    let seconds = waited.as_secs();
    Error::environment(format!(
        "{component} is not ready after {seconds} s: {last}"
    ))
    .details(
        format!("last lines of {component}:"),
        &process.last_lines(LINES),
    )
    .hint("--parallel 1 boots one server at a time; --logs DIR keeps what all components say")
}

/// Whether a component ended because somebody else listens on its port.
pub(super) fn port_was_taken(process: &Process) -> bool {
    process.last_lines(50).contains("address already in use")
}

/// The last error in a log, as klog, cobra or etcd write it.
fn cause(log: &str) -> Option<String> {
    log.lines()
        .rev()
        .find_map(|line| {
            // cmd/kube-apiserver since 1.23: E0102 03:04:05.6 7 run.go:74] "command failed" err="..."
            if let Some((_, quoted)) = line.split_once("\"command failed\" err=") {
                return Some(serde_json::from_str(quoted).unwrap_or_else(|_| quoted.to_owned()));
            }
            // Before: cobra's `Error: ...`.
            if let Some(error) = line
                .strip_prefix("Error: ")
                .or(line.strip_prefix("error: "))
            {
                return Some(error.to_owned());
            }
            // klog's fatal lines: F0102 03:04:05.6 7 storage_decorator.go:57] ...
            let mut words = line.split_whitespace();
            let fatal = words.next()?.strip_prefix('F')?;
            if fatal.len() == 4 && fatal.bytes().all(|byte| byte.is_ascii_digit()) {
                return line.split_once("] ").map(|(_, text)| text.to_owned());
            }
            None
        })
        .or_else(|| {
            // zap's of etcd: {"level":"fatal",...,"msg":"...","error":"..."}
            log.lines().rev().find_map(|line| {
                let entry: serde_json::Value = serde_json::from_str(line).ok()?;
                if !matches!(entry["level"].as_str(), Some("fatal" | "panic")) {
                    return None;
                }
                let text = |key: &str| entry[key].as_str();
                let message = text("msg")?;
                Some(match text("error") {
                    Some(error) => format!("{message}: {error}"),
                    None => message.to_owned(),
                })
            })
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::cause;

    #[rstest]
    #[case(
        r#"E1123 13:00:00.1 77 run.go:72] "command failed" err="enable-admission-plugins plugin \"Foo\" is unknown""#,
        Some(r#"enable-admission-plugins plugin "Foo" is unknown"#)
    )]
    #[case(
        "Usage:\n  kube-apiserver [flags]\n\nError: unknown flag: --foo",
        Some("unknown flag: --foo")
    )]
    #[case(
        "F1123 13:00:00.1 77 instance.go:274] Error creating leases: x\ngoroutine 1 [running]:",
        Some("Error creating leases: x")
    )]
    #[case(
        r#"{"level":"fatal","msg":"discovery failed","error":"listen tcp 127.0.0.1:1: bind: address already in use"}"#,
        Some("discovery failed: listen tcp 127.0.0.1:1: bind: address already in use")
    )]
    #[case("I1123 13:00:00.1 77 a.go:1] fine\nFoo bar] baz", None)]
    fn causes(#[case] log: &str, #[case] expected: Option<&str>) {
        assert_eq!(cause(log).as_deref(), expected);
    }
}
