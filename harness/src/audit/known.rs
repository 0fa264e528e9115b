//! Violations that are known already: only new ones fail.
//!
//! A file of JSON Lines, one for each namespace, owner and check:
//! `{"namespace":"shop","owner":"Deployment/web","check":"runAsNonRoot"}`. Pods come and go, so they are
//! not named; those that nobody owns are the owner `Pod`. A template is known by the same line as the
//! pods of its workload; where Pod Security is not who rejects, `check` is who does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::report::{Owner, Report};
use crate::error::Error;

/// Known violations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known(BTreeSet<Violation>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Violation {
    namespace: String,
    owner: String,
    check: String,
}

impl Known {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = path.display();
        let text = fs::read_to_string(path).map_err(|error| {
            Error::input(format!("{file} cannot be read: {error}"))
                .hint("podgate audit --write-known FILE writes one")
        })?;
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty());
        let read = lines.map(|(at, line)| {
            serde_json::from_str(line).map_err(|error| {
                Error::input(format!("{file}:{}: {error}", at + 1))
                    .hint(r#"a line is {"namespace":"shop","owner":"Deployment/web","check":"runAsNonRoot"}"#)
            })
        });
        read.collect::<Result<_, _>>().map(Self)
    }

    /// What `report` found, which has to be by namespace and owner.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut known = BTreeSet::new();
        for (namespace, found) in &report.namespaces {
            for (owner, found) in &found.owners {
                known.extend(found.checks.keys().map(|check| Violation {
                    namespace: namespace.clone(),
                    owner: owner.to_string(),
                    check: check.clone().into_owned(),
                }));
            }
            for (owner, template) in &found.templates {
                known.extend(template.known_by().map(|check| Violation {
                    namespace: namespace.clone(),
                    owner: owner.to_string(),
                    check,
                }));
            }
        }
        Self(known)
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self
            .0
            .iter()
            .filter_map(|violation| serde_json::to_string(violation).ok());
        lines.map(|line| line + "\n").collect()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all these checks are known to be violated by the pods of that owner.
    pub(super) fn has<'c>(
        &self,
        namespace: &str,
        owner: &Owner,
        mut checks: impl Iterator<Item = &'c str>,
    ) -> bool {
        checks.all(|check| {
            self.0.contains(&Violation {
                namespace: namespace.to_owned(),
                owner: owner.to_string(),
                check: check.to_owned(),
            })
        })
    }
}
