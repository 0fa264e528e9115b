//! The configuration of today, beside the one that is asked about: what it says of pods.

use std::collections::BTreeMap;

use podgate_admission::decode::{decode, decode_untyped};
use podgate_admission::scan::{Scanned, Scanner, Spare};
use podgate_admission::schema::roots;

use super::chain::{self, Waiting};
use super::chunk::Chunk;
use super::configuration::Configuration;
use super::judge::{Judge, Record, Work};
use super::namespaces::Namespaces;
use crate::check::{Finding, Policy, Target};
use crate::error::Error;
use crate::suite::Requester;

/// The configuration of today.
#[derive(Debug)]
pub(super) struct Today {
    pub(super) configuration: Configuration,
    /// Where it is of another minor, which may read a pod otherwise.
    scanner: Option<Scanner>,
    /// Whether it was asked for, so that only what is new counts.
    pub(super) decides: bool,
}

impl Judge {
    /// The same beside what `target` says today: `decides` says that only what is new counts.
    pub fn today(
        mut self,
        target: &Target,
        requester: Option<&Requester>,
        decides: bool,
    ) -> Result<Self, Error> {
        let mut configuration = Configuration::new(target, Policy::default(), requester, false)?;
        configuration
            .chain
            .namespace
            .clone_from(&self.to.chain.namespace);
        let other = target.minor != self.to.server.minor();
        self.today = Some(Today {
            configuration,
            scanner: other.then(|| Scanner::new(target.minor)),
            decides,
        });
        Ok(self)
    }

    /// What the whole chain says today of the pods of a chunk, where a `PodSecurityPolicy` decides
    /// today and the pods are not asked about later anyway.
    pub(super) fn pods_today(
        &self,
        chunk: &Chunk,
        namespaces: &Namespaces,
    ) -> BTreeMap<usize, Option<bool>> {
        let today = self.today.as_ref().map(|today| &today.configuration);
        let Some(today) = today.filter(|today| today.by_chain && !self.to.by_chain) else {
            return BTreeMap::new();
        };
        let (mut waiting, mut numbers) = (Vec::new(), Vec::new());
        self.each(chunk, |record| {
            let is_pod = chunk.pods
                || decode_untyped(record.bytes).is_ok_and(|object| {
                    object.text_at(&["kind"]) == "Pod" && object.text_at(&["apiVersion"]) == "v1"
                });
            let pod = is_pod.then(|| Waiting::pod(record.bytes, &chunk.file, record.line, 0));
            if let Some(Ok(pod)) = pod {
                waiting.push(pod);
                numbers.push(record.number);
            }
        });
        let labels = |name: &str| namespaces.labels(name);
        // A context that cannot be made is told of the templates that need it; here nothing is known.
        let findings = chain::judge(&today.chain, &waiting, labels).unwrap_or_default();
        numbers
            .into_iter()
            .zip(findings.iter().map(Finding::is_rejected))
            .collect()
    }

    /// Whether a pod is rejected today; `None` where that is not asked, or cannot be known.
    pub(super) fn rejected_today(
        &self,
        scanned: &Scanned<'_>,
        record: Record<'_>,
        work: &Work<'_>,
    ) -> Option<bool> {
        let today = self.today.as_ref()?;
        let configuration = &today.configuration;
        if configuration.by_chain {
            return work.today.get(&record.number).copied().flatten();
        }
        let namespace = self.namespace_of(scanned);
        let own = work.namespaces.get(namespace);
        let demand = own.and_then(|demands| demands.today.as_ref());
        let demand = demand.unwrap_or(&configuration.implicit);
        let rejects = |scanned: &Scanned<'_>| {
            let judgement = configuration.judgement(demand, namespace, &scanned.pod);
            !judgement.enforce.is_empty()
        };
        let Some(other) = &today.scanner else {
            return Some(rejects(scanned));
        };
        let read = if work.chunk.pods {
            other.item(record.bytes, &mut Spare::default())
        } else {
            other.pod(record.bytes, &mut Spare::default())
        };
        if let Some(read) = read {
            return Some(rejects(&read));
        }
        let decoded = decode(record.bytes, &roots::POD, configuration.server.minor());
        decoded
            .ok()
            .map(|decoded| rejects(&Scanned::of(&decoded.object)))
    }

    /// What the line of an object says of the change since today, where that was asked for: the words
    /// are those of `podgate diff`.
    pub(super) fn change(&self, today: Option<bool>, to: Option<bool>) -> &'static str {
        if !self.decides() {
            return "";
        }
        match (today, to) {
            (None, _) | (_, None) => ",\"change\":\"undecided\"",
            (Some(false), Some(true)) => ",\"change\":\"breaks\"",
            (Some(true), Some(false)) => ",\"change\":\"admitted\"",
            _ => ",\"change\":null",
        }
    }

    /// Whether only what is not rejected today counts.
    pub(super) fn decides(&self) -> bool {
        self.today.as_ref().is_some_and(|today| today.decides)
    }
}
