//! What counts as confirmed, and what does not any more.

use rstest::rstest;

use super::*;
use crate::outcome::{Action, By, Rejection};

const SERVERS: [&str; 2] = ["v1.25.16", "v1.36.2"];

fn stage(message: Option<&str>) -> Stage {
    Stage {
        requester: "admin".to_owned(),
        verdict: match message {
            None => Verdict::Admitted,
            Some(message) => Verdict::Rejected(Rejection {
                code: 403,
                by: By::PodSecurity,
                checks: vec!["privileged".to_owned()],
                message: message.to_owned(),
            }),
        },
        psp: None,
        warnings: Vec::new(),
        audit_annotations: None,
    }
}

fn outcome(object: &str, message: Option<&str>) -> Outcome {
    Outcome {
        step: None,
        object: object.to_owned(),
        action: Action::Applied,
        own: stage(message),
        pods: None,
    }
}

/// What the snapshot of these tests says about three minors.
fn recorded() -> Outcomes {
    let outcomes = || vec![outcome("Pod/a", None), outcome("Pod/b", Some("no"))];
    [24, 25, 36]
        .map(|minor| (Minor::known(minor), outcomes()))
        .into()
}

fn servers() -> BTreeMap<Minor, Version> {
    let versions = SERVERS.map(|text| text.parse::<Version>().unwrap());
    versions.map(|version| (version.minor(), version)).into()
}

fn of(outcomes: &Outcomes, minors: &[u8]) -> Outcomes {
    let wanted = |minor: &Minor| minors.contains(&minor.number());
    let of = outcomes.iter().filter(|(minor, _)| wanted(minor));
    of.map(|(minor, outcomes)| (*minor, outcomes.clone()))
        .collect()
}

/// What two real servers confirmed of [`recorded`].
fn verified() -> Verified {
    let mut verified = Verified::default();
    for (_, version) in servers() {
        verified.asked(version, "apiserver", "2026-11-23");
    }
    let observed = of(&recorded(), &[25, 36]);
    verified.confirm("psa", "checks/a", &recorded(), &observed, &servers());
    verified
}

fn on(verified: &Verified, recorded: &Outcomes) -> Vec<String> {
    let confirmation = verified.confirmation("psa", "checks/a", recorded);
    confirmation.on.iter().map(ToString::to_string).collect()
}

fn read(text: &str) -> Verified {
    Verified::read(&Source::new("verified.yaml", text)).unwrap()
}

#[test]
fn reads_back_as_it_was_written() {
    let verified = verified();
    let back = read(&verified.text());
    assert_eq!(on(&back, &recorded()), ["1.25.16", "1.36.2"]);
    assert_eq!(back.text(), verified.text());
    assert!(back.edited.is_empty());
}

#[test]
fn what_changed_since_is_stale_and_other_minors_are_not_looked_at() {
    let verified = verified();
    let mut elsewhere = recorded();
    elsewhere.insert(Minor::known(24), vec![outcome("Pod/a", Some("no"))]);
    assert_eq!(on(&verified, &elsewhere), ["1.25.16", "1.36.2"]);

    for change in [
        vec![outcome("Pod/a", None)],
        vec![outcome("Pod/a", None), outcome("Pod/b", Some("No"))],
        vec![outcome("Pod/a", None), outcome("Pod/b", None)],
        vec![outcome("Pod/a", None), outcome("Pod/c", Some("no"))],
    ] {
        let mut changed = recorded();
        changed.insert(Minor::known(36), change);
        let confirmation = verified.confirmation("psa", "checks/a", &changed);
        assert!(confirmation.stale && confirmation.on.is_empty());
    }
    assert!(
        verified
            .confirmation("psa", "checks/a", &of(&recorded(), &[25]))
            .stale
    );
    assert_eq!(
        verified.confirmation("psa", "checks/b", &recorded()),
        Confirmation::default()
    );
}

#[test]
fn a_server_that_differs_or_cannot_decide_confirms_nothing() {
    let mut undecided = outcome("Pod/b", None);
    undecided.own.verdict = Verdict::Undecided {
        reason: "no right to impersonate".to_owned(),
    };
    let mut warned = outcome("Pod/a", None);
    warned.own.warnings.push("would violate".to_owned());
    for other in [
        vec![outcome("Pod/a", None), undecided.clone()],
        vec![warned, outcome("Pod/b", Some("no"))],
    ] {
        let mut verified = verified();
        let observed = [(Minor::known(36), other)].into();
        verified.confirm("psa", "checks/a", &recorded(), &observed, &servers());
        assert_eq!(on(&verified, &recorded()), ["1.25.16"]);
    }
    // Nor does one that is undecided where the snapshot is.
    let recorded: Outcomes = [(Minor::known(36), vec![undecided])].into();
    let mut verified = Verified::default();
    verified.confirm("psa", "checks/a", &recorded, &recorded, &servers());
    assert!(verified.is_empty());
}

#[test]
fn a_newer_patch_takes_the_place_of_an_older_one() {
    let mut verified = verified();
    let newer: Version = "v1.36.3".parse().unwrap();
    let newer = [(newer.minor(), newer.clone())].into();
    let observed = of(&recorded(), &[36]);
    verified.confirm("psa", "checks/a", &recorded(), &observed, &newer);
    assert_eq!(on(&verified, &recorded()), ["1.25.16", "1.36.3"]);
}

#[rstest]
#[case::version("version: 1.36.2", "version: 1.36.9", "1.36.9")]
#[case::date("2026-11-23", "2026-11-30", "1.25.16")]
#[case::backend("backend: apiserver", "backend: kind", "1.25.16")]
#[case::another_server("servers: [1.25.16, 1.36.2]", "servers: [1.25.16]", "psa")]
#[case::another_cluster("cluster: \"psa\"", "cluster: \"psb\"", "psb")]
#[case::another_scenario("checks/a\":", "checks/b\":", "psa")]
fn an_edit_by_hand_confirms_nothing(#[case] from: &str, #[case] to: &str, #[case] told: &str) {
    let text = verified().text();
    let edited = text.replacen(from, to, 1);
    assert_ne!(text, edited);
    let verified = read(&edited);
    assert!(
        verified.edited.iter().any(|what| what == told),
        "{:?}",
        verified.edited
    );
    for cluster in ["psa", "psb"] {
        for scenario in ["checks/a", "checks/b"] {
            let confirmation = verified.confirmation(cluster, scenario, &recorded());
            assert_eq!(confirmation, Confirmation::default(), "{edited}");
        }
    }
}

#[test]
fn an_edited_digest_is_noticed() {
    let text = verified().text();
    let digest = digest(&recorded(), &servers().into_values().collect()).to_string();
    let verified = read(&text.replace(&digest, "0123456789abcdef"));
    assert_eq!(verified.edited, ["psa"]);
}

#[test]
fn only_used_servers_are_written_and_lists_are_shared() {
    let mut verified = verified();
    let observed = of(&recorded(), &[25, 36]);
    verified.confirm("psa", "checks/b", &recorded(), &observed, &servers());
    verified.asked("1.37.0".parse().unwrap(), "kind", "2026-11-23");
    let text = verified.text();
    assert!(!text.contains("1.37.0"), "{text}");
    assert_eq!(text.matches("cluster: \"psa\"").count(), 1, "{text}");
    verified.retain(|_, scenario| scenario == "checks/b");
    assert_eq!(
        (verified.len(), verified.text().contains("checks/a")),
        (1, false)
    );
}

#[rstest]
#[case("v1.36.2", Some("1.36.2"))]
#[case("1.23.17", Some("1.23.17"))]
#[case("v1.35.1-rc.0", Some("1.35.1-rc.0"))]
#[case("1.36", None)]
#[case("v1.99.1", None)]
#[case("2.1.1", None)]
fn versions(#[case] text: &str, #[case] expected: Option<&str>) {
    let version = text.parse::<Version>().map(|version| version.to_string());
    assert_eq!(version.ok().as_deref(), expected);
}
