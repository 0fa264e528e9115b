//! What `go test -json` prints: one event a line (`go doc test2json`).

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// How the tests of the suite ended. The one test that calls the suite counts only where it fails by
/// itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    /// What the failed tests say, and the compiler where nothing ran.
    pub(super) said: String,
}

impl Outcome {
    pub(super) fn ran(&self) -> usize {
        self.passed + self.failed
    }

    /// Whether tests ran and none failed: a suite that ran nothing has proved nothing.
    pub(super) fn holds(&self) -> bool {
        self.passed > 0 && self.failed == 0
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
            ..
        } = self;
        let ran = self.ran();
        write!(
            f,
            "{ran} ran, {passed} passed, {failed} failed, {skipped} skipped"
        )
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    output: String,
}

/// Counts the tests, and collects what the failed ones say.
pub(super) fn read(stdout: &[u8]) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    let mut failed: Vec<String> = Vec::new();
    for line in String::from_utf8_lossy(stdout).lines() {
        let event: Event =
            serde_json::from_str(line).with_context(|| format!("go test -json prints {line}"))?;
        let in_suite = event.test.contains('/');
        match event.action.as_str() {
            "output" => said.entry(event.test).or_default().push_str(&event.output),
            "build-output" => outcome.said.push_str(&event.output),
            "pass" => outcome.passed += usize::from(in_suite),
            "skip" => outcome.skipped += usize::from(in_suite),
            "fail" => failed.push(event.test),
            _ => {}
        }
    }
    // A test that calls others fails with them: it counts where no other does.
    let in_suite = failed.iter().filter(|test| test.contains('/')).count();
    let outer = failed.iter().any(|test| !test.is_empty());
    outcome.failed = in_suite.max(usize::from(outer));
    for test in failed {
        outcome.said += said.get(&test).map_or("", String::as_str);
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::read;

    const SUITE: &str = r#"{"Action":"start","Package":"psa"}
{"Action":"run","Package":"psa","Test":"TestPodSecurity"}
{"Action":"output","Package":"psa","Test":"TestPodSecurity/a","Output":"a says\n"}
{"Action":"pass","Package":"psa","Test":"TestPodSecurity/a","Elapsed":0}
{"Action":"skip","Package":"psa","Test":"TestPodSecurity/c","Elapsed":0}
"#;

    #[test]
    fn counts_the_tests_of_the_suite() {
        let end = r#"{"Action":"pass","Package":"psa","Test":"TestPodSecurity","Elapsed":0}"#;
        let outcome = read(format!("{SUITE}{end}").as_bytes()).unwrap();
        assert_eq!(outcome.to_string(), "1 ran, 1 passed, 0 failed, 1 skipped");
        assert!(outcome.holds());
        assert_eq!(outcome.said, "");
    }

    #[test]
    fn a_failure_says_why() {
        let failure = r#"{"Action":"output","Package":"psa","Test":"TestPodSecurity/b","Output":"b says\n"}
{"Action":"fail","Package":"psa","Test":"TestPodSecurity/b","Elapsed":0}
{"Action":"fail","Package":"psa","Test":"TestPodSecurity","Elapsed":0}
{"Action":"fail","Package":"psa","Elapsed":0}"#;
        let outcome = read(format!("{SUITE}{failure}").as_bytes()).unwrap();
        assert_eq!((outcome.passed, outcome.failed), (1, 1));
        assert!(!outcome.holds());
        assert_eq!(outcome.said, "b says\n");
    }

    #[test]
    fn what_fails_before_the_suite_fails() {
        let before = r#"{"Action":"fail","Package":"psa","Test":"TestPodSecurity","Elapsed":0}"#;
        let outcome = read(format!("{SUITE}{before}").as_bytes()).unwrap();
        assert_eq!(outcome.failed, 1);
        assert!(!outcome.holds());
    }

    #[test]
    fn nothing_run_does_not_hold() {
        let built = r#"{"ImportPath":"psa","Action":"build-output","Output":"syntax error\n"}
{"Action":"fail","Package":"psa"}"#;
        let skipped = r#"{"Action":"skip","Test":"TestPodSecurity/c"}"#;
        for events in ["", skipped, built] {
            let outcome = read(events.as_bytes()).unwrap();
            assert!(!outcome.holds());
            assert_eq!(outcome.ran(), 0);
        }
        assert_eq!(read(built.as_bytes()).unwrap().said, "syntax error\n");
        assert!(read(b"not JSON").is_err());
    }
}
