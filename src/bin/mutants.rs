//! Tries the suite of this repository on servers whose rules are slightly wrong, and tells which of
//! them it takes for upstream's: `cargo xtask mutants`. Ends with 1 where one survives unexplained.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use podgate_harness::error::Error;
use podgate_harness::mutation::{self, Tried};
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::suite::{Project, Suite};

/// Mutants that no suite can notice, as no object and no policy tells them from upstream, and why.
const EQUIVALENT: &[(&str, &str)] = &[
    (
        "procMount: runs beside procMount_restricted",
        "from 1.35 on procMount asks for nothing in a user namespace, and without one an unmasked /proc is invalid",
    ),
    (
        "allowedProcMountTypes of policies: Default alone",
        "without the alpha feature gate ProcMountType the server drops the field from policies",
    ),
];

fn main() -> ExitCode {
    let started = Instant::now();
    let tried = match run() {
        Ok(tried) => tried,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let survivors: Vec<&Tried> = tried.iter().filter(|it| it.noticed.is_none()).collect();
    let explained = |it: &Tried| EQUIVALENT.iter().find(|(name, _)| *name == it.mutant.name);
    let mut unexplained = 0;
    for survivor in &survivors {
        if let Some((name, why)) = explained(survivor) {
            println!("survives, as it must: {name}: {why}");
        } else {
            unexplained += 1;
            println!("SURVIVES: {}", survivor.mutant.name);
        }
    }
    println!(
        "{} mutants, {} noticed, {} survive ({} of them as they must), {:.0} s",
        tried.len(),
        tried.len() - survivors.len(),
        survivors.len(),
        survivors.len() - unexplained,
        started.elapsed().as_secs_f64()
    );
    if unexplained == 0 && !tried.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run() -> Result<Vec<Tried>, Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let suite = Suite::load(&Project::load(root)?)?;
    let mut plan = Plan::new(&suite, &Selection::default())?;
    // What distributions configure, and what is warned about, is judged by the same rules once more.
    plan.retain(|cluster, scenario| {
        let again =
            cluster.name == "psa-baseline-warn-restricted" && scenario.id.starts_with("checks/");
        !again && (cluster.name.contains("psp") || cluster.name.starts_with("psa"))
    });
    mutation::run(&plan)
}
