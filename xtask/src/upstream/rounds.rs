//! Which servers the suite is run against: the minors, the version of the suite for each, and the
//! feature gates that the suite has tests for.

use std::fmt;

use anyhow::{Context as _, Result, bail};

/// The minors without `--kubernetes`, beside the newest: the one that had Pod Security admission first
/// as a finished feature.
const ALSO: u8 = 25;

/// The only minor that has the plugin behind a gate that is off by default. Older ones do not have it.
const ALPHA: u8 = 22;

/// The feature gates that the suite asks for (`failRequiresFeatures` of its fixtures), with the first
/// minor that has them on by default (`pkg/features/kube_features.go`). The third, `AppArmor`, was on in
/// every minor.
const GATES: [(&str, u8); 2] = [("ProcMountType", 33), ("WindowsHostProcessContainers", 23)];

/// Versions of the suite's module that stand in for the last patch, where Go's checksum database may not
/// know that one.
const INSTEAD: [(u8, &str); 1] = [(31, "v0.31.12")];

/// A server that the suite is run against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) minor: u8,
    /// The version of `k8s.io/pod-security-admission`.
    pub(super) suite: String,
    /// The version of the modules that it uses.
    pub(super) version: String,
    /// The gates that are turned on, because they are off by default.
    pub(super) on: Vec<&'static str>,
    /// The gates that are off, whose tests the suite skips.
    pub(super) off: Vec<&'static str>,
}

/// The rounds that `[--kubernetes 1.NN|all]...` chooses: each minor as it is by default, and then with
/// the gates on, so that nothing is skipped. `known` is the version of `k8s.io/api` for each minor.
pub(super) fn rounds(known: &[(u8, String)], args: &[&str]) -> Result<Vec<Round>> {
    let known: Vec<_> = known.iter().filter(|(minor, _)| *minor >= ALPHA).collect();
    let newest = known.last().context("no minor has the plugin")?.0;
    let mut chosen = Vec::new();
    let mut args = args.iter();
    while let Some(&arg) = args.next() {
        let value = match arg.strip_prefix("--kubernetes") {
            Some("") => args.next().copied(),
            Some(rest) => rest.strip_prefix('='),
            None => bail!("no such argument: {arg}"),
        };
        match value.context("--kubernetes needs a value: 1.36, or all")? {
            "all" => chosen.extend(known.iter().map(|(minor, _)| *minor)),
            value => chosen.push(
                value
                    .strip_prefix("1.")
                    .and_then(|minor| minor.parse().ok())
                    .with_context(|| format!("`{value}` is no minor: write it like 1.36"))?,
            ),
        }
    }
    if chosen.is_empty() {
        chosen = vec![ALSO, newest];
    }
    chosen.sort_unstable();
    chosen.dedup();
    let mut rounds = Vec::new();
    for minor in chosen {
        let Some((_, version)) = known.iter().find(|(m, _)| *m == minor) else {
            bail!("Kubernetes 1.{minor} has no such suite: 1.{ALPHA} to 1.{newest} have");
        };
        let default = by_default(minor, version);
        rounds.extend(with_gates(&default));
        rounds.push(default);
    }
    rounds.sort_by_key(|round| (round.minor, round.on.len()));
    Ok(rounds)
}

fn by_default(minor: u8, version: &str) -> Round {
    let instead = INSTEAD.iter().find(|(m, _)| *m == minor);
    let off = GATES.iter().filter(|(_, since)| minor < *since);
    Round {
        minor,
        suite: instead.map_or(version, |(_, version)| version).to_owned(),
        version: version.to_owned(),
        on: if minor == ALPHA {
            vec!["PodSecurity"]
        } else {
            Vec::new()
        },
        off: off.map(|(name, _)| *name).collect(),
    }
}

/// The round with the gates on that `default` has off.
fn with_gates(default: &Round) -> Option<Round> {
    let mut round = default.clone();
    for gate in round.off.drain(..) {
        round.on.push(gate);
        if gate == "ProcMountType" && default.minor >= 30 {
            // An unmasked /proc needs a user namespace there, and `hostUsers` is dropped without its gate.
            round.on.push("UserNamespacesSupport");
        }
    }
    (round != *default).then_some(round)
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kubernetes 1.{}, suite {}", self.minor, self.suite)?;
        for gate in &self.on {
            write!(f, ", {gate}=true")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Round, rounds};

    #[rstest]
    #[case(&[], &["1.25, suite v0.25.1", "1.25, suite v0.25.1, ProcMountType=true", "1.33, suite v0.33.1"])]
    #[case(&["--kubernetes", "1.33"], &["1.33, suite v0.33.1"])]
    #[case(&["--kubernetes=1.33", "--kubernetes=1.33"], &["1.33, suite v0.33.1"])]
    #[case(&["--kubernetes", "1.22"], &[
        "1.22, suite v0.22.1, PodSecurity=true",
        "1.22, suite v0.22.1, PodSecurity=true, ProcMountType=true, WindowsHostProcessContainers=true",
    ])]
    #[case(&["--kubernetes", "1.31"], &[
        "1.31, suite v0.31.12",
        "1.31, suite v0.31.12, ProcMountType=true, UserNamespacesSupport=true",
    ])]
    fn chosen(#[case] args: &[&str], #[case] expected: &[&str]) {
        let shown: Vec<_> = of(args).iter().map(ToString::to_string).collect();
        let expected: Vec<_> = expected.iter().map(|e| format!("Kubernetes {e}")).collect();
        assert_eq!(shown, expected);
    }

    #[rstest]
    #[case(&["--kubernetes", "1.21"], "no such suite")]
    #[case(&["--kubernetes", "newest"], "no minor")]
    #[case(&["--kubernetes"], "needs a value")]
    #[case(&["1.36"], "no such argument")]
    fn refused(#[case] args: &[&str], #[case] expected: &str) {
        let error = rounds(&known(), args).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn what_the_suite_is_told() {
        let off = |minor| -> Vec<_> {
            let rounds = of(&["--kubernetes", minor]).into_iter();
            rounds.map(|round| round.off.join(",")).collect()
        };
        let windows = "WindowsHostProcessContainers";
        assert_eq!(off("1.22"), [&format!("ProcMountType,{windows}"), ""]);
        assert_eq!(off("1.32"), ["ProcMountType", ""]);
        assert_eq!(off("1.33"), [""]);
    }

    #[test]
    fn all_minors() {
        let mut minors: Vec<_> = of(&["--kubernetes", "all"])
            .iter()
            .map(|round| round.minor)
            .collect();
        minors.dedup();
        assert_eq!(minors, (22..=33).collect::<Vec<_>>());
    }

    fn of(args: &[&str]) -> Vec<Round> {
        rounds(&known(), args).unwrap()
    }

    fn known() -> Vec<(u8, String)> {
        (20..=33).map(|m| (m, format!("v0.{m}.1"))).collect()
    }
}
