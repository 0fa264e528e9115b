//! What `podgate test` tells people of a run: the matrix, the reason of every rejection, what did
//! not run, and the sum.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::time::Duration;

use podgate_harness::record::{EMBEDDED, NotApplicable, Record};
use podgate_harness::verified::Version;
use podgate_policy::Minor;

use super::style::{ADMITTED, FAINT, Painted, REJECTED, STRONG, UNDECIDED};
use super::verdicts::{self, Placed};
use super::{counted, matrix, minors, table_width, width};
use crate::command::versions;

/// The matrix, and unless `quiet` the reason of every rejection.
pub(crate) fn verdicts(record: &Record, quiet: bool) -> String {
    let mut text = matrix::table(record).render(table_width()) + "\n";
    let legend = verdicts::filled(&matrix::legend(record), "", "", width());
    let _ = writeln!(text, "{}\n", Painted(FAINT, legend.trim_end()));
    if quiet {
        return text;
    }
    for scenario in &record.scenarios {
        let cells = record
            .cells
            .iter()
            .filter(|cell| cell.scenario == scenario.id);
        let placed: Vec<Placed<'_>> = cells.map(Placed::of).collect();
        let reasons = verdicts::reasons(scenario, &placed, width());
        if reasons.is_empty() && scenario.not_judged.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{}", Painted(STRONG, &scenario.id));
        if let Some(description) = &scenario.description {
            let description = verdicts::filled(description, "  ", "", width());
            let _ = writeln!(text, "{}", Painted(FAINT, description.trim_end()));
        }
        text.push_str(&reasons);
        if !scenario.not_judged.is_empty() {
            let objects: Vec<&str> = scenario.not_judged.iter().map(String::as_str).collect();
            let line = format!("not judged: {}", objects.join(", "));
            text.push_str(&verdicts::filled(&line, "  ", "  ", width()));
        }
        text.push('\n');
    }
    text
}

/// What was selected and does not run.
pub(crate) fn not_applicable(cells: &[NotApplicable]) -> String {
    let mut text = String::new();
    for cells in cells {
        let what = match &cells.scenario {
            Some(scenario) => format!("{scenario} on {}", cells.cluster),
            None => cells.cluster.clone(),
        };
        let minors = minors(&cells.kubernetes);
        let _ = match &cells.lacking {
            Some(lacking) => writeln!(
                text,
                "{} {what}: {minors}: {lacking}",
                Painted(UNDECIDED, "not run")
            ),
            None => writeln!(
                text,
                "{} {what}: {minors}",
                Painted(FAINT, "not applicable")
            ),
        };
    }
    text
}

/// How much ran, and whether all of it is as recorded and expected. A merged run took no time that
/// says anything.
pub(crate) fn summary(record: &Record, took: Option<Duration>) -> String {
    let mut text = not_applicable(&record.not_applicable);
    let took = took.map(|took| format!(", {:.2} s", took.as_secs_f64()));
    let ran = format!("{}{}", ran(record), took.unwrap_or_default());
    text.push_str(&verdicts::filled(&ran, "", "  ", width()));

    text.push_str(&confirmed(record));
    let entries = &record.snapshots;
    let undecided = record.undecided();
    if undecided > 0 {
        let undecided = format!("{} undecided", counted(undecided, "outcome"));
        let _ = writeln!(text, "{}", Painted(UNDECIDED, &undecided));
    }
    let missing = entries.iter().filter(|e| e.missing).count();
    let differ = entries.iter().filter(|e| !e.agrees).count() - missing;
    let mut bad: Vec<String> = Vec::new();
    for (count, what) in [
        (missing, "missing"),
        (differ, "changed"),
        (record.unreferenced.len(), "unreferenced"),
    ] {
        if count > 0 {
            bad.push(format!("{count} {what}"));
        }
    }
    let agree = match entries.len() {
        0 => return text + "nothing was compared\n",
        1 => "the snapshot agrees".to_owned(),
        count => format!("all {count} snapshots agree"),
    };
    let _ = if bad.is_empty() {
        writeln!(text, "{}", Painted(ADMITTED, &agree))
    } else {
        let bad = format!("snapshots: {}", bad.join(", "));
        writeln!(text, "{}", Painted(REJECTED, &bad))
    };
    let unmet: Vec<&str> = entries
        .iter()
        .flat_map(|e| e.unmet.iter().map(|unmet| unmet.place.as_str()))
        .collect();
    if !unmet.is_empty() {
        let mut places = unmet;
        places.sort_unstable();
        places.dedup();
        let unmet = match places.len() {
            1 => "1 expectation does not hold".to_owned(),
            count => format!("{count} expectations do not hold"),
        };
        let _ = writeln!(text, "{}", Painted(REJECTED, &unmet));
    }
    if entries.iter().any(|e| e.proposed.is_some()) {
        text.push_str("podgate review shows what is pending\n");
    }
    if !record.unreferenced.is_empty() {
        text.push_str("podgate review --remove-unreferenced removes them\n");
    }
    text
}

/// For each minor how many outcomes a real server confirmed; nothing where real servers answered.
pub(crate) fn confirmed(record: &Record) -> String {
    let mut text = String::new();
    if record.backend != EMBEDDED {
        return text;
    }
    let (confirmed, unconfirmed) = by_minor(record);
    if !unconfirmed.is_empty() {
        let minors_of: Vec<Minor> = unconfirmed.keys().copied().collect();
        let outcomes = counted(unconfirmed.values().sum(), "outcome");
        let line = format!("{}: {outcomes}, embedded only", minors(&minors_of));
        text.push_str(&verdicts::filled(&line, "", "  ", width()));
    }
    for (minor, by) in &confirmed {
        let outcomes = counted(by.outcomes, "outcome");
        let servers: Vec<String> = by.servers.iter().map(ToString::to_string).collect();
        let on = format!("confirmed on kube-apiserver {}", servers.join(" and "));
        let line = match by.outcomes - by.confirmed {
            0 => format!("{minor}: {outcomes}, {on}"),
            rest => format!(
                "{minor}: {outcomes}, {} {on}, {rest} embedded only",
                by.confirmed
            ),
        };
        text.push_str(&verdicts::filled(&line, "", "  ", width()));
    }
    let stale = record
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.confirmed.stale);
    let stale: Vec<String> = stale
        .map(|snapshot| format!("{}/{}", snapshot.cluster, snapshot.scenario))
        .collect();
    if let [first, rest @ ..] = stale.as_slice() {
        let others = match rest.len() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let line = format!(
            "changed since a real server confirmed it: {first}{others}; podgate verify asks again"
        );
        let _ = writeln!(text, "{}", Painted(UNDECIDED, &line));
    }
    if !record.edited.is_empty() {
        let line = format!(
            "verified.yaml was edited, what it says of {} counts for nothing; podgate verify asks again",
            record.edited.join(", ")
        );
        let _ = writeln!(text, "{}", Painted(UNDECIDED, &line));
    }
    text
}

/// What real servers say about the outcomes on one minor.
#[derive(Default)]
struct OfMinor<'a> {
    outcomes: usize,
    confirmed: usize,
    servers: BTreeSet<&'a Version>,
}

/// The minors of which a real server confirmed something; and the others with their outcomes.
fn by_minor(record: &Record) -> (BTreeMap<Minor, OfMinor<'_>>, BTreeMap<Minor, usize>) {
    let mut servers: HashMap<(&str, &str), &[Version]> = HashMap::new();
    for snapshot in &record.snapshots {
        let place = (snapshot.cluster.as_str(), snapshot.scenario.as_str());
        servers.insert(place, &snapshot.confirmed.on);
    }
    let mut minors: BTreeMap<Minor, OfMinor<'_>> = BTreeMap::new();
    for cell in &record.cells {
        let outcomes = 1 + usize::from(cell.outcome.pods.is_some());
        let of = minors.entry(cell.kubernetes).or_default();
        of.outcomes += outcomes;
        let on = servers.get(&(cell.cluster.as_str(), cell.scenario.as_str()));
        let mut on = on.into_iter().copied().flatten();
        if let Some(server) = on.find(|server| server.minor() == cell.kubernetes) {
            of.confirmed += outcomes;
            of.servers.insert(server);
        }
    }
    let unconfirmed = minors.extract_if(.., |_, of| of.confirmed == 0);
    let unconfirmed = unconfirmed
        .map(|(minor, of)| (minor, of.outcomes))
        .collect();
    (minors, unconfirmed)
}

/// How much ran, in a sentence.
pub(crate) fn ran(record: &Record) -> String {
    let stages = record
        .cells
        .iter()
        .map(|cell| 1 + usize::from(cell.outcome.pods.is_some()));
    let ran: usize = record.snapshots.iter().map(|snapshot| snapshot.cells).sum();
    let mut cells = counted(ran, "cell");
    for (lacking, what) in [(true, "not run"), (false, "not applicable")] {
        let which = record.not_applicable.iter();
        let which = which.filter(|n| n.lacking.is_some() == lacking);
        let count: usize = which.map(|n| n.cells).sum();
        if count > 0 {
            let _ = write!(cells, ", {count} {what}");
        }
    }
    let of_shard = record
        .shard
        .as_ref()
        .map(|part| format!("shard {}: ", part.shard));
    format!(
        "{}{}, {}: {} in {cells} ({} on {})",
        of_shard.unwrap_or_default(),
        versions(record),
        record.backend,
        counted(stages.sum(), "outcome"),
        counted(record.scenarios.len(), "scenario"),
        counted(record.clusters.len(), "cluster"),
    )
}

/// The versions that ran: `Kubernetes 1.23 to 1.37`, of one whether it was compared with a real
/// server.
fn versions(record: &Record) -> String {
    let mut ran: Vec<Minor> = record.cells.iter().map(|cell| cell.kubernetes).collect();
    ran.sort_unstable();
    ran.dedup();
    match ran.as_slice() {
        [only] if versions::from_source_only(*only) => {
            format!("Kubernetes {only} (from source only)")
        }
        [first, .., last] if usize::from(last.number() - first.number()) + 1 == ran.len() => {
            format!("Kubernetes {first} to {last}")
        }
        _ => format!("Kubernetes {}", minors(&ran)),
    }
}
