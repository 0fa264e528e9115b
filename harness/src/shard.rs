//! A part of a plan that a machine of its own runs: `--shard 2/3`.
//!
//! A plan is split between cells of one cluster and one scenario, so that a snapshot is compared as
//! a whole, and into stretches of clusters, so that a shard starts few of them. Which cells a shard
//! has depends on the plan alone.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;
use crate::plan::{Job, Plan};

/// Which of how many shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Its number, counted from one.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// A text that names no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard; write it as K/N with K from 1 to N")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let wrong = || ShardError(text.to_owned());
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let read = |text: &str| text.parse::<usize>().map_err(|_| wrong());
        let (number, of) = (read(number)?, read(of)?);
        if (1..=of).contains(&number) {
            Ok(Self { number, of })
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Plan {
    /// The part of the plan that `shard` runs. More shards than there are parts is an error: one that
    /// runs nothing would look like one that passed.
    pub fn shard(&self, shard: Shard) -> Result<Self, Error> {
        // By cluster and scenario, in that order, how many cells they have.
        let mut parts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for job in &self.jobs {
            for &scenario in &job.scenarios {
                *parts.entry((job.cluster, scenario)).or_default() += 1;
            }
        }
        if parts.len() < shard.of {
            return Err(Error::input(format!(
                "--shard {shard}: there are {} parts to share out, a scenario on a cluster each",
                parts.len()
            ))
            .hint(format!("take at most {} shards", parts.len())));
        }
        // A part goes where its middle lies among all cells; but each shard gets one at least, and
        // leaves one for each that follows.
        let cells: usize = parts.values().sum();
        let (count, mut before, mut last) = (parts.len(), 0, 0);
        let mut of_part: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (at, (part, weight)) in parts.into_iter().enumerate() {
            let middle = (2 * before + weight) * shard.of / (2 * cells) + 1;
            let first = (shard.of + at + 1).saturating_sub(count).max(1);
            let most = if at == 0 { 1 } else { last + 1 };
            last = middle.clamp(last.max(first).min(most), most);
            before += weight;
            of_part.insert(part, last);
        }
        let jobs = self.jobs.iter().filter_map(|job| {
            let here = |s: &usize| of_part.get(&(job.cluster, *s)) == Some(&shard.number);
            let scenarios: Vec<usize> = job.scenarios.iter().copied().filter(here).collect();
            (!scenarios.is_empty()).then_some(Job {
                cluster: job.cluster,
                minor: job.minor,
                scenarios,
            })
        });
        Ok(Self {
            jobs: jobs.collect(),
            ..self.clone()
        })
    }

    /// What tells this plan from another: shards of different plans must not be merged. It changes
    /// with what runs and with every text that decides its outcomes.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Digest::default();
        hash.add(env!("CARGO_PKG_VERSION"));
        for cluster in &self.clusters {
            hash.add(&cluster.head.body());
            hash.add(&format!("{:?}", cluster.admission));
            for object in &cluster.objects {
                hash.add(&object.body);
            }
        }
        for scenario in &self.scenarios {
            hash.add(&scenario.id);
            hash.add(
                &scenario
                    .head
                    .as_ref()
                    .map(|head| head.body())
                    .unwrap_or_default(),
            );
            for manifest in &scenario.manifests {
                hash.add(&manifest.body);
            }
        }
        for job in &self.jobs {
            hash.add(&format!(
                "{} {} {:?}",
                job.cluster, job.minor, job.scenarios
            ));
        }
        hash.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use podgate_policy::Minor;
    use rstest::rstest;

    use super::*;
    use crate::plan::Selection;
    use crate::suite::{Project, Suite};

    fn plan() -> Plan {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let suite = Suite::load(&Project::load(&root).unwrap()).unwrap();
        Plan::new(&suite, &Selection::default()).unwrap()
    }

    fn cells(plan: &Plan) -> Vec<(usize, Minor, usize)> {
        let of_job = |job: &Job| {
            let (cluster, minor) = (job.cluster, job.minor);
            let scenarios = job.scenarios.clone();
            scenarios.into_iter().map(move |s| (cluster, minor, s))
        };
        plan.jobs.iter().flat_map(of_job).collect()
    }

    #[test]
    fn shards_have_every_cell_once_and_none_is_empty() {
        let plan = plan();
        let parts = plan.parts().len();
        for of in [1, 2, 3, 7, parts] {
            let mut all = Vec::new();
            for number in 1..=of {
                let shard = plan.shard(Shard { number, of }).unwrap();
                assert!(shard.cells() > 0, "{number}/{of}");
                all.extend(cells(&shard));
            }
            let mut whole = cells(&plan);
            all.sort_unstable();
            whole.sort_unstable();
            assert_eq!(all, whole, "{of}");
        }
        let of = parts + 1;
        assert!(plan.shard(Shard { number: 1, of }).is_err());
    }

    #[test]
    fn shards_are_of_about_the_same_size() {
        let plan = plan();
        for number in 1..=3 {
            let cells = plan.shard(Shard { number, of: 3 }).unwrap().cells();
            let fair = plan.cells() / 3;
            assert!(
                cells.abs_diff(fair) < fair / 2,
                "{number}: {cells} of {fair}"
            );
        }
    }

    #[rstest]
    #[case("1/1", Ok((1, 1)))]
    #[case("3/12", Ok((3, 12)))]
    #[case("0/3", Err(()))]
    #[case("4/3", Err(()))]
    #[case("1", Err(()))]
    #[case("1/x", Err(()))]
    fn reads(#[case] text: &str, #[case] expected: Result<(usize, usize), ()>) {
        let read = text.parse::<Shard>().map_err(|_| ());
        assert_eq!(read.map(|shard| (shard.number, shard.of)), expected);
    }
}
