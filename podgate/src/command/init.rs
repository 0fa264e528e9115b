//! `podgate init`: the three folders of a repository, with an example that runs.

use std::fs;
use std::path::Path;

use podgate_harness::error::Error;
use podgate_harness::execute;
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::report;
use podgate_harness::snapshot::{Store, Writing};
use podgate_harness::suite::{Project, Suite};

use crate::args::InitArgs;
use crate::exit::Exit;
use crate::show;

const FILES: [(&str, &str); 3] = [
    (
        "clusters/psa-restricted.yaml",
        include_str!("../../templates/clusters/psa-restricted.yaml"),
    ),
    (
        "clusters/psa-baseline-warn-restricted.yaml",
        include_str!("../../templates/clusters/psa-baseline-warn-restricted.yaml"),
    ),
    (
        "scenarios/hello.yaml",
        include_str!("../../templates/scenarios/hello.yaml"),
    ),
];

/// What stands beside the three folders. A file that is there already stays as it is.
const BESIDE: [(&str, &str); 2] = [
    (
        ".github/workflows/podgate.yml",
        include_str!("../../templates/github/podgate.yml"),
    ),
    ("README.md", include_str!("../../templates/README.md")),
];

pub(crate) fn run(args: &InitArgs) -> Result<Exit, Error> {
    // Paths are told without the `./` that joining would put in front.
    let here = Path::new("");
    let folder = if args.folder == Path::new(".") {
        here
    } else {
        &args.folder
    };
    for name in ["clusters", "scenarios", "snapshots"] {
        if folder.join(name).exists() {
            return Err(Error::input(format!("{} is there already", folder.join(name).display()))
                .hint("podgate init writes into a folder that has none of clusters, scenarios and snapshots"));
        }
    }
    let beside = BESIDE.iter().filter(|(name, _)| {
        let kept = folder.join(name).exists();
        if kept {
            show::note(&format!("kept {}", folder.join(name).display()));
        }
        !kept
    });
    for (name, text) in FILES.iter().chain(beside) {
        let path = folder.join(name);
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text));
        written
            .map_err(|error| Error::input(format!("cannot write {}: {error}", path.display())))?;
        show::note(&format!("wrote {}", path.display()));
    }
    record(folder)?;
    show::note(&format!("wrote {}", folder.join("snapshots").display()));
    show::note("podgate test runs the example");
    Ok(Exit::Expected)
}

/// The snapshots of the example: it has to pass as it is.
fn record(folder: &Path) -> Result<(), Error> {
    let suite = Suite::load(&Project::load(folder)?)?;
    let plan = Plan::new(&suite, &Selection::default())?;
    let results = execute::execute(&plan)?;
    let store = Store::new(&suite.snapshots, Writing::Allowed);
    report::report(&suite, &plan, &results, &store, true)?;
    store.accept_all()?;
    Ok(())
}
