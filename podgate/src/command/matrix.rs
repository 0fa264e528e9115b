//! `podgate matrix`: the verdicts on every object by scenario, cluster and minor; and the jobs that a
//! CI workflow fans out over.

use podgate_harness::error::Error;
use podgate_harness::execute;
use podgate_harness::plan::Plan;
use podgate_harness::record::{Cell, Record};
use podgate_harness::report::Report;
use podgate_harness::versions::ranges;
use podgate_policy::Minor;
use serde::Serialize;

use crate::args::{MatrixArgs, MatrixFormat, Output};
use crate::exit::Exit;
use crate::show::{self, markdown, matrix, table_width};

/// GitHub starts no more jobs for one matrix.
const MOST_JOBS: usize = 256;

pub(crate) fn run(args: &MatrixArgs) -> Result<Exit, Error> {
    let (_, plan) = super::plan(&args.select)?;
    if plan.cells() == 0 {
        return Ok(super::nothing_to_run(&plan));
    }
    if args.github {
        show::data(&show::json_line(&jobs(&plan, args.shards)?)?)?;
        return Ok(Exit::Expected);
    }
    let plan = match &args.shard {
        Some(shard) => plan.shard(super::shard(shard)?)?,
        None => plan,
    };
    let results = execute::execute(&plan)?;
    let record = Record::new(&plan, &results, &Report::default(), "embedded server", None);
    let text = match args.output {
        MatrixFormat::Text => {
            let legend = show::verdicts::filled(&matrix::legend(&record), "", "", show::width());
            format!("{}\n{legend}", matrix::table(&record).render(table_width()))
        }
        MatrixFormat::Markdown => markdown::matrix(&record),
        MatrixFormat::Json => {
            let document = Document {
                cells: &record.cells,
            };
            show::serialized(&document, Output::Json)?.unwrap_or_default()
        }
    };
    show::data(&text)?;
    Ok(Exit::Expected)
}

#[derive(Serialize)]
struct Document<'a> {
    cells: &'a [Cell],
}

/// What `strategy.matrix` of a workflow takes.
#[derive(Serialize)]
struct Jobs {
    include: Vec<Job>,
}

/// A job of a workflow: the flags of its `podgate test`.
#[derive(Serialize)]
#[serde(untagged)]
enum Job {
    Shard { shard: String },
    Cluster { cluster: String, kubernetes: String },
}

/// A job for each shard; or for each cluster and minor, and where those are too many, for each
/// cluster and stretch of minors.
fn jobs(plan: &Plan, shards: Option<usize>) -> Result<Jobs, Error> {
    if let Some(of) = shards {
        // Too many shards are refused here, and not by the last of the jobs.
        plan.shard(super::shard(&format!("1/{of}"))?)?;
        let job = |number| Job::Shard {
            shard: format!("{number}/{of}"),
        };
        return Ok(Jobs {
            include: (1..=of).map(job).collect(),
        });
    }
    let job = |cluster: usize, kubernetes: String| Job::Cluster {
        cluster: plan.clusters[cluster].name.clone(),
        kubernetes,
    };
    let each = plan
        .jobs
        .iter()
        .map(|it| job(it.cluster, it.minor.to_string()));
    let mut include: Vec<Job> = each.collect();
    if include.len() > MOST_JOBS {
        include.clear();
        for jobs in plan.jobs.chunk_by(|a, b| a.cluster == b.cluster) {
            let minors: Vec<Minor> = jobs.iter().map(|job| job.minor).collect();
            let ranges = ranges(&minors).into_iter();
            include.extend(ranges.map(|range| job(jobs[0].cluster, range.to_string())));
        }
        show::note(
            "GitHub starts 256 jobs at most: each has all minors of a cluster; --shards N takes fewer",
        );
    }
    Ok(Jobs { include })
}
