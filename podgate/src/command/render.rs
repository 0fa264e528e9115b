//! What check, diff and fix read beside files: charts and kustomizations, rendered.

use std::time::Duration;

use podgate_harness::error::Error;
use podgate_harness::render::{self, Options, kustomization_in};
use podgate_manifest::Source;
use podgate_policy::Minor;

use crate::args::{Input, Rendered};
use crate::show;
use crate::show::progress::Rendering;
use crate::show::style::{FAINT, Painted};

/// Renders what the flags name, for the newest of the minors that judge.
pub(crate) fn rendered(
    args: &Rendered,
    input: &Input,
    minors: impl Iterator<Item = Minor>,
) -> Result<Vec<Source>, Error> {
    let mut minors: Vec<Minor> = minors.collect();
    minors.sort_unstable();
    minors.dedup();
    let options = Options {
        charts: args.helm.clone(),
        values: args.helm_values.clone(),
        set: args.helm_set.clone(),
        release: args.helm_release.clone(),
        namespace: input.namespace.clone(),
        minor: minors.last().copied().unwrap_or(Minor::NEWEST),
        kustomizations: args.kustomize.clone(),
    };
    let progress = Rendering::new();
    let outputs = render::render(&options, &|what: &str, elapsed: Duration| {
        progress.tell(what, elapsed);
    });
    progress.end();
    let outputs = outputs?;
    for output in &outputs {
        for line in output.said.lines() {
            show::note(&format!(
                "{} {line}",
                Painted(FAINT, &format!("{}:", output.program))
            ));
        }
    }
    if !options.charts.is_empty() && minors.len() > 1 {
        show::note(&format!(
            "charts are rendered once, for Kubernetes {}, the newest of those asked for",
            options.minor
        ));
    }
    Ok(outputs.into_iter().map(|output| output.source).collect())
}

/// Says of folders that somebody builds with kustomize that they are read as they stand.
pub(crate) fn unbuilt(input: &Input) {
    for folder in &input.files {
        if let Some(file) = kustomization_in(folder) {
            show::note(&format!(
                "{} is not built: the files beside it are judged as they stand; -k {} judges what kustomize makes of them",
                file.display(),
                folder.display()
            ));
        }
    }
}
