//! Folds the outcomes of many minors into entries whose minors behave alike, and overlays what was
//! recorded with what a run over some minors saw.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use podgate_policy::Minor;

use super::minors::{Minors, Range};
use crate::outcome::{Action, Outcome, Stage, Step, Verdict};

/// The outcomes of a scenario on a cluster, by minor, in the order in which they were observed.
pub type Outcomes = BTreeMap<Minor, Vec<Outcome>>;

/// One object in one step, over all minors.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: Key<'a>,
    pub(super) own: Vec<(Minors, &'a Stage)>,
    /// By requester, which is the same on every minor unless the controllers change.
    pub(super) pods: Vec<(&'a str, Vec<(Minors, &'a Stage)>)>,
}

/// What an entry's heading says, and its place among those with the same heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key<'a> {
    pub(super) step: Option<&'a Step>,
    pub(super) object: &'a str,
    pub(super) action: Action,
    pub(super) requester: &'a str,
    nth: usize,
}

/// Folds outcomes into entries, in the order of the steps and, within a step, of the outcomes.
pub(super) fn fold(outcomes: &Outcomes) -> Vec<Entry<'_>> {
    let mut lists: Vec<(Minor, List<'_>)> = outcomes
        .iter()
        .map(|(minor, outcomes)| (*minor, list(outcomes)))
        .collect();
    let (order, index) = order(&mut lists);
    let mut entries: Vec<Entry<'_>> = order
        .into_iter()
        .map(|key| Entry {
            key,
            own: Vec::new(),
            pods: Vec::new(),
        })
        .collect();
    for (minor, list) in lists {
        for (key, outcome) in list {
            let entry = &mut entries[index[&key]];
            group(&mut entry.own, minor, &outcome.own);
            if let Some(stage) = &outcome.pods {
                let requester = stage.requester.as_str();
                let known = entry.pods.iter().position(|(other, _)| *other == requester);
                let at = known.unwrap_or_else(|| {
                    entry.pods.push((requester, Vec::new()));
                    entry.pods.len() - 1
                });
                group(&mut entry.pods[at].1, minor, stage);
            }
        }
    }
    entries
}

/// The ranges of some groups in the order in which a snapshot lists them, each with its stage.
pub(super) fn ranges<'a>(groups: &[(Minors, &'a Stage)]) -> Vec<(Range, &'a Stage)> {
    let mut ranges: Vec<_> = groups
        .iter()
        .flat_map(|(minors, stage)| {
            minors
                .ranges()
                .map(|(first, last)| (Range(first, last), *stage))
        })
        .collect();
    ranges.sort_by_key(|(range, _)| range.0);
    ranges
}

/// What is recorded, with the minors of `ran` in place of what was recorded for them. Minors
/// outside of `applicable` are dropped. A verdict that was recorded stays where this run could not
/// decide: another backend could.
pub(super) fn overlay(recorded: Outcomes, ran: &Outcomes, applicable: Minors) -> Outcomes {
    let mut merged = recorded;
    for (minor, outcomes) in ran {
        let mut outcomes = outcomes.clone();
        if let Some(recorded) = merged.get(minor) {
            keep_decided(recorded, &mut outcomes);
        }
        merged.insert(*minor, outcomes);
    }
    merged.retain(|minor, outcomes| applicable.contains(*minor) && !outcomes.is_empty());
    merged
}

/// Puts what was decided in `recorded` in place of what is undecided in `outcomes`.
fn keep_decided(recorded: &[Outcome], outcomes: &mut [Outcome]) {
    let undecided = |stage: &Stage| stage.verdict.is_undecided();
    if !outcomes
        .iter()
        .any(|o| undecided(&o.own) || o.pods.as_ref().is_some_and(undecided))
    {
        return;
    }
    let recorded: HashMap<_, _> = places(recorded).collect();
    let keep = |old: Option<&Stage>, new: &mut Stage| {
        if let (Verdict::Undecided { .. }, Some(old)) = (&new.verdict, old)
            && !undecided(old)
        {
            new.verdict = old.verdict.clone();
            new.psp.clone_from(&old.psp);
            new.warnings.clone_from(&old.warnings);
        }
    };
    let found: Vec<Option<&Outcome>> = places(outcomes)
        .map(|(place, _)| recorded.get(&place).copied())
        .collect();
    for (new, old) in outcomes.iter_mut().zip(found) {
        keep(old.map(|old| &old.own), &mut new.own);
        if let Some(pods) = &mut new.pods {
            keep(old.and_then(|old| old.pods.as_ref()), pods);
        }
    }
}

/// What outcomes of two runs are matched by: the object, and how often it occurred before. Steps
/// may be renumbered and requesters renamed without an object getting lost.
pub(super) type Place<'a> = (&'a str, usize);

/// The outcomes with their places.
pub(super) fn places(outcomes: &[Outcome]) -> impl Iterator<Item = (Place<'_>, &Outcome)> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    outcomes.iter().map(move |outcome| {
        let nth = seen.entry(&outcome.object).or_default();
        *nth += 1;
        ((outcome.object.as_str(), *nth - 1), outcome)
    })
}

/// The outcomes of one minor, in order.
type List<'a> = Vec<(Key<'a>, &'a Outcome)>;

fn list(outcomes: &[Outcome]) -> List<'_> {
    let mut seen: HashMap<Key<'_>, usize> = HashMap::with_capacity(outcomes.len());
    outcomes
        .iter()
        .map(|outcome| {
            let key = Key {
                step: outcome.step.as_ref(),
                object: &outcome.object,
                action: outcome.action,
                requester: &outcome.own.requester,
                nth: 0,
            };
            let nth = seen.entry(key).or_default();
            *nth += 1;
            (
                Key {
                    nth: *nth - 1,
                    ..key
                },
                outcome,
            )
        })
        .collect()
}

/// One order for the keys of all minors, and the place of each key in it.
///
/// A scenario is run in one order, so that the lists agree. Should they not, they are put into the
/// order found, because they are read back from a snapshot in it, and are written the same then.
fn order<'a>(lists: &mut [(Minor, List<'a>)]) -> (Vec<Key<'a>>, HashMap<Key<'a>, usize>) {
    let order = merge(lists);
    let index: HashMap<Key<'a>, usize> = order
        .iter()
        .enumerate()
        .map(|(at, key)| (*key, at))
        .collect();
    let place = |(key, _): &(Key<'a>, &Outcome)| index[key];
    let mut disagree = false;
    for (_, list) in lists.iter_mut() {
        if !list.is_sorted_by_key(place) {
            list.sort_by_key(place);
            disagree = true;
        }
    }
    // Lists that agree are merged into an order that they agree with: this ends at once.
    if disagree {
        self::order(lists)
    } else {
        (order, index)
    }
}

/// Merges the lists of keys into one in which each key stands behind those that it follows on some
/// minor, and otherwise in the order of the minors.
fn merge<'a>(lists: &[(Minor, List<'a>)]) -> Vec<Key<'a>> {
    let Some((_, first)) = lists.first() else {
        return Vec::new();
    };
    let keys = |list: &List<'a>| list.iter().map(|(key, _)| *key).collect::<Vec<_>>();
    // Most often every minor has the same outcomes.
    if lists.iter().all(|(_, list)| {
        list.iter()
            .map(|(key, _)| key)
            .eq(first.iter().map(|(key, _)| key))
    }) {
        return keys(first);
    }
    let mut seen: Vec<Key<'a>> = Vec::new();
    let mut known: HashMap<Key<'a>, usize> = HashMap::new();
    let mut followers: Vec<BTreeSet<usize>> = Vec::new();
    let mut leaders: Vec<usize> = Vec::new();
    for (_, list) in lists {
        let mut before = None;
        for (key, _) in list {
            let at = *known.entry(*key).or_insert_with(|| {
                seen.push(*key);
                followers.push(BTreeSet::new());
                leaders.push(0);
                seen.len() - 1
            });
            if let Some(before) = before.replace(at)
                && followers[before].insert(at)
            {
                leaders[at] += 1;
            }
        }
    }
    let mut waiting: BTreeSet<usize> = (0..seen.len()).filter(|at| leaders[*at] > 0).collect();
    let mut ready: BTreeSet<usize> = (0..seen.len()).filter(|at| leaders[*at] == 0).collect();
    let mut order = Vec::with_capacity(seen.len());
    // Where only keys are left that minors put before each other, the one seen first goes first.
    while let Some(at) = ready.pop_first().or_else(|| waiting.pop_first()) {
        order.push(seen[at]);
        for follower in &followers[at] {
            leaders[*follower] -= 1;
            if leaders[*follower] == 0 && waiting.remove(follower) {
                ready.insert(*follower);
            }
        }
    }
    order.sort_by_key(|key| key.step.map(|step| step.number));
    order
}

fn group<'a>(groups: &mut Vec<(Minors, &'a Stage)>, minor: Minor, stage: &'a Stage) {
    let alike = |other: &Stage| {
        other.verdict == stage.verdict && other.psp == stage.psp && other.warnings == stage.warnings
    };
    // The last group is the one that the minor before is in.
    match groups.iter_mut().rev().find(|(_, other)| alike(other)) {
        Some((minors, _)) => minors.insert(minor),
        None => groups.push((Minors::only(minor), stage)),
    }
}
