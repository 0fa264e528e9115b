//! Pods for the tables beside the checks, and the comparison that they share.

use super::Check;
use crate::minor::Minor;
use crate::server::Server;
use crate::text;
use crate::view::{Container, Pod, Role, SecurityContext};

/// A server of the minor 1.`minor` with default feature gates.
pub(super) fn server(minor: u8) -> Server {
    Server::new(Minor::known(minor))
}

/// A pod with these containers, each given its index in its list.
pub(super) fn pod<'a>(containers: impl IntoIterator<Item = Container<'a>>) -> Pod<'a> {
    let mut lengths = [0; 3];
    let containers = containers.into_iter().map(|mut container| {
        let length = &mut lengths[container.role as usize];
        container.index = *length;
        *length += 1;
        container
    });
    Pod {
        containers: containers.collect(),
        ..Pod::default()
    }
}

/// A regular container.
pub(super) fn container<'a>(name: &'a str, security_context: SecurityContext<'a>) -> Container<'a> {
    Container {
        name,
        security_context,
        ..Container::default()
    }
}

/// An init container.
pub(super) fn init<'a>(name: &'a str, security_context: SecurityContext<'a>) -> Container<'a> {
    Container {
        role: Role::Init,
        ..container(name, security_context)
    }
}

/// An ephemeral container.
pub(super) fn ephemeral<'a>(name: &'a str, security_context: SecurityContext<'a>) -> Container<'a> {
    Container {
        role: Role::Ephemeral,
        ..container(name, security_context)
    }
}

/// Evaluates the revision of `check` for the policy version 1.`version` and compares what it says:
/// `reason (detail)`, or nothing where it allows the pod; and the fields at fault. What it says
/// must be readable by the patterns of the check.
#[track_caller]
pub(super) fn check(
    check: &'static Check,
    server: Server,
    version: u64,
    pod: &Pod<'_>,
    expected: &str,
    fields: &[&str],
) {
    assert!(
        server.newest_policy() >= Some(version),
        "{server:?} has no policy v1.{version}"
    );
    let revision = check.revision(version).expect("the policy has the check");
    let Some(forbidden) = (revision.evaluate)(server, pod) else {
        assert_eq!(expected, "");
        return;
    };
    assert_eq!(
        format!("{} ({})", forbidden.reason, forbidden.detail),
        expected
    );
    assert_eq!(forbidden.fields, fields);
    assert!(
        check.reasons.contains(&forbidden.reason),
        "reason is not declared"
    );
    let declared = check
        .details
        .iter()
        .any(|pattern| text::matches(pattern, &forbidden.detail));
    assert!(declared, "detail is not declared");
}
