//! Policies and pods for the tables beside the strategies, and the comparison that they share.

use super::policy::{IdRange, PodSecurityPolicy, StrategyOptions};
use super::{ContainerView, Edits, PodView, Provider};
use crate::minor::Minor;
use crate::server::Server;
use crate::view::Role;

/// A policy that lets anybody run, allows every type of volume, and nothing else.
pub(super) fn policy() -> PodSecurityPolicy<'static> {
    PodSecurityPolicy {
        name: "test",
        volumes: vec!["*"],
        ..PodSecurityPolicy::run_as_any()
    }
}

/// A rule with its ranges.
pub(super) fn options(rule: &'static str, ranges: &[(i64, i64)]) -> StrategyOptions<'static> {
    let ranges = ranges.iter().map(|&(min, max)| IdRange { min, max });
    StrategyOptions {
        rule,
        ranges: ranges.collect(),
    }
}

/// A pod with these containers, each given its index in its list.
pub(super) fn pod<'v>(containers: impl IntoIterator<Item = ContainerView<'v>>) -> PodView<'v> {
    let mut lengths = [0; 3];
    let containers = containers.into_iter().map(|mut container| {
        let length = &mut lengths[container.role as usize];
        container.index = *length;
        *length += 1;
        container
    });
    PodView {
        containers: containers.collect(),
        ..PodView::default()
    }
}

/// A regular container.
pub(super) fn container(name: &str) -> ContainerView<'_> {
    ContainerView {
        name,
        ..ContainerView::default()
    }
}

/// An init container.
pub(super) fn init(name: &str) -> ContainerView<'_> {
    ContainerView {
        role: Role::Init,
        ..container(name)
    }
}

/// An ephemeral container.
pub(super) fn ephemeral(name: &str) -> ContainerView<'_> {
    ContainerView {
        role: Role::Ephemeral,
        ..container(name)
    }
}

/// Mutates the pod and compares the edits, validates it and compares the messages; and a second
/// mutation edits nothing.
#[track_caller]
pub(super) fn check<'a>(
    policy: &'a PodSecurityPolicy<'a>,
    mut pod: PodView<'a>,
    edits: &Edits<'_>,
    errors: &[&str],
) {
    let provider = Provider::new(policy).expect("the policy is usable");
    assert_eq!(&provider.mutate(&mut pod), edits);
    let server = Server::new(Minor::known(23));
    let found = provider.validate(server, &pod);
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, errors);
    assert!(provider.mutate(&mut pod).is_empty());
}

/// The messages of a server of the minor 1.`minor` about a pod as it is.
pub(super) fn errors_on(
    minor: u8,
    policy: &PodSecurityPolicy<'_>,
    pod: &PodView<'_>,
) -> Vec<String> {
    let provider = Provider::new(policy).expect("the policy is usable");
    let errors = provider.validate(Server::new(Minor::known(minor)), pod);
    errors.iter().map(ToString::to_string).collect()
}
