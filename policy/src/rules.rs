//! What a server judges by, as data: the table of checks, the values that they allow, and how it
//! treats policies.
//!
//! There is one that is upstream's, [`UPSTREAM`]. The others exist to test a suite: each differs
//! from it in a single rule, and a suite that is worth something notices ([`mutants`]).

use std::fmt;

use crate::checks::{CHECKS, Check, Revision};
use crate::level::Level;
use crate::psp::PodSecurityPolicy;

mod policies;

pub use policies::Choice;
pub(crate) use policies::Field;
use policies::Policies;

/// The rules of a server.
pub struct Rules {
    /// The checks, in the order of messages.
    pub(crate) checks: &'static [&'static Check],
    /// A value about which these rules differ from upstream's.
    overruled: Option<Overruled>,
    /// What these rules mistake about `PodSecurityPolicy`.
    policies: Policies,
}

/// Upstream's rules.
pub static UPSTREAM: Rules = Rules {
    checks: &CHECKS,
    overruled: None,
    policies: Policies {
        reading: None,
        leaves_out: None,
        choice: Choice::Upstream,
    },
};

/// A value that a check takes for another than upstream's does.
struct Overruled {
    check: &'static str,
    value: &'static str,
    allowed: bool,
}

impl Rules {
    /// Whether `check` allows `value`, of which upstream's `list` says so.
    pub(crate) fn allow(&self, check: &str, list: &[&str], value: &str) -> bool {
        match &self.overruled {
            Some(it) if it.check == check && it.value == value => it.allowed,
            _ => list.contains(&value),
        }
    }

    /// A policy as these rules read it: upstream's leave it as it is written.
    pub fn read(&self, policy: &mut PodSecurityPolicy<'_>) {
        if let Some(reading) = self.policies.reading {
            reading(policy);
        }
    }

    /// How a policy is chosen for a pod.
    #[must_use]
    pub const fn choice(&self) -> Choice {
        self.policies.choice
    }

    /// Whether policies fill in that field.
    pub(crate) fn fill_in(&self, field: Field) -> bool {
        self.policies.leaves_out != Some(field)
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let upstream = std::ptr::eq(self, &raw const UPSTREAM);
        f.write_str(if upstream { "upstream's" } else { "a mutant's" })
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Rules {}

/// Rules that differ from upstream's in one point.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What differs: `sysctls: without the change of v1.27`.
    pub name: String,
    /// The admission plugin that it is about.
    pub plugin: &'static str,
    /// The rules.
    pub rules: &'static Rules,
}

/// The values that a check allows, and some that a hasty editor might add.
struct Values {
    check: &'static str,
    allowed: &'static [&'static str],
    others: &'static [&'static str],
}

/// Whose values are data. The other checks allow one state of a flag.
const VALUES: [Values; 7] = [
    Values {
        check: "capabilities_baseline",
        allowed: &crate::checks::capabilities_baseline::ALLOWED,
        others: &["NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE", "ALL"],
    },
    Values {
        check: "capabilities_restricted",
        allowed: &["NET_BIND_SERVICE"],
        others: &["CHOWN", "NET_RAW", "ALL"],
    },
    Values {
        check: "procMount",
        allowed: &["Default"],
        others: &["Unmasked"],
    },
    Values {
        check: "restrictedVolumes",
        allowed: &crate::checks::restricted_volumes::ALLOWED,
        others: &crate::checks::restricted_volumes::NAMED,
    },
    Values {
        check: "seLinuxOptions",
        allowed: &crate::checks::se_linux_options::TYPES,
        others: &["spc_t", "container_logreader_t"],
    },
    Values {
        check: "seccompProfile",
        allowed: &["RuntimeDefault", "Localhost"],
        others: &["Unconfined"],
    },
    Values {
        check: "sysctls",
        allowed: &crate::checks::sysctls::SAFE,
        others: &["kernel.msgmax", "kernel.shmmax", "net.core.somaxconn"],
    },
];

/// Every mutant: each check dropped, each version of one shifted by one and undone, each check moved
/// to the other level or kept where another one takes its place, each allowed value refused, and
/// values allowed that are not; and what can be mistaken about policies.
///
/// They stay in memory until the process ends, as the rules of a server do.
#[must_use]
pub fn mutants() -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (at, check) in CHECKS.into_iter().enumerate() {
        let mut with = |what: String, changed: Option<Check>| {
            let mut checks = CHECKS.to_vec();
            match changed {
                None => {
                    checks.remove(at);
                }
                Some(changed) => checks[at] = Box::leak(Box::new(changed)),
            }
            mutants.push(mutant(check.id, &what, checks.leak(), None));
        };
        with("dropped".to_owned(), None);
        for (index, revision) in check.revisions.iter().enumerate() {
            let since = revision.since;
            let after = check.revisions.get(index + 1).map(|next| next.since);
            let before = index.checked_sub(1).map(|it| check.revisions[it].since);
            if after != Some(since + 1) {
                let revisions = with_since(check, index, since + 1);
                with(
                    format!("v1.{since} comes one version later"),
                    Some(revised(check, revisions)),
                );
            }
            if since > 0 && before != Some(since - 1) {
                let revisions = with_since(check, index, since - 1);
                with(
                    format!("v1.{since} comes one version earlier"),
                    Some(revised(check, revisions)),
                );
            }
            if index > 0 {
                let mut revisions = copied(check);
                revisions.remove(index);
                with(
                    format!("without the change of v1.{since}"),
                    Some(revised(check, revisions)),
                );
            }
        }
        let level = match check.level {
            Level::Baseline => Level::Restricted,
            _ => Level::Baseline,
        };
        let moved = Check {
            level,
            ..revised(check, copied(check))
        };
        with(format!("moved to {level}"), Some(moved));
        if let Some(other) = check.overridden_by {
            let kept = Check {
                overridden_by: None,
                ..revised(check, copied(check))
            };
            with(format!("runs beside {}", other.id), Some(kept));
        }
    }
    for Values {
        check,
        allowed,
        others,
    } in VALUES
    {
        let values = allowed.iter().map(|value| (*value, false));
        for (value, allowed) in values.chain(others.iter().map(|value| (*value, true))) {
            let what = if allowed { "allows" } else { "refuses" };
            let overruled = Overruled {
                check,
                value,
                allowed,
            };
            mutants.push(mutant(
                check,
                &format!("{what} {value:?}"),
                &CHECKS,
                Some(overruled),
            ));
        }
    }
    let mistakes = policies::mistakes().into_iter();
    mutants.extend(mistakes.map(|(name, policies)| Mutant {
        name,
        plugin: "PodSecurityPolicy",
        rules: Box::leak(Box::new(Rules {
            checks: &CHECKS,
            overruled: None,
            policies,
        })),
    }));
    mutants
}

fn mutant(
    id: &str,
    what: &str,
    checks: &'static [&'static Check],
    overruled: Option<Overruled>,
) -> Mutant {
    Mutant {
        name: format!("{id}: {what}"),
        plugin: "PodSecurity",
        rules: Box::leak(Box::new(Rules {
            checks,
            overruled,
            policies: Policies::default(),
        })),
    }
}

fn copied(check: &Check) -> Vec<Revision> {
    let copy = |revision: &Revision| Revision { ..*revision };
    check.revisions.iter().map(copy).collect()
}

fn with_since(check: &Check, index: usize, since: u64) -> Vec<Revision> {
    let mut revisions = copied(check);
    revisions[index].since = since;
    revisions
}

fn revised(check: &'static Check, revisions: Vec<Revision>) -> Check {
    Check {
        id: check.id,
        level: check.level,
        revisions: revisions.leak(),
        overridden_by: check.overridden_by,
        remedy: check.remedy,
        reasons: check.reasons,
        details: check.details,
        documentation: check.documentation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Minor, Server, checks};

    #[test]
    fn every_mutant_differs_from_the_others_by_its_name() {
        let mut names: Vec<String> = mutants().into_iter().map(|it| it.name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(count > 150, "{count}");
    }

    #[test]
    fn a_dropped_check_does_not_run() {
        let mutants = mutants();
        let dropped = mutants
            .iter()
            .find(|it| it.name == "privileged: dropped")
            .unwrap();
        let policy = "restricted:latest".parse().unwrap();
        let ran = |server: Server| checks::active(server, policy).count();
        let server = Server::new(Minor::NEWEST);
        assert_eq!(ran(server.judging_by(dropped.rules)) + 1, ran(server));
        assert_ne!(server.judging_by(dropped.rules), server);
    }

    #[test]
    fn a_value_is_overruled_for_its_check_alone() {
        let mutants = mutants();
        let mutant = mutants
            .iter()
            .find(|it| it.name == "sysctls: allows \"kernel.msgmax\"")
            .unwrap();
        assert!(mutant.rules.allow("sysctls", &[], "kernel.msgmax"));
        assert!(!mutant.rules.allow("sysctls", &[], "kernel.shmmax"));
        assert!(!mutant.rules.allow("procMount", &[], "kernel.msgmax"));
    }
}
