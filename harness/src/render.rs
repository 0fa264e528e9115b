//! Charts and kustomizations: the real helm, kustomize or kubectl renders them, as their users do.
//! What comes out is text like that of any file; where its objects come from is known as far as the
//! program says it (`podgate_manifest::Rendered`).

use std::env;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use podgate_manifest::{Rendered, Source};
use podgate_policy::Minor;

use crate::error::Error;
use crate::lifecycle::{self, Process, Run, on_path};

/// What a chart or a kustomization may be rendered to at most, in bytes: it is held in memory.
pub const LIMIT: u64 = 64 << 20;

/// The variable that names the helm binary.
pub const HELM: &str = "PODGATE_HELM";

/// The variable that names the kustomize binary.
pub const KUSTOMIZE: &str = "PODGATE_KUSTOMIZE";

/// The names of the file that makes a folder a kustomization.
/// Upstream: `RecognizedKustomizationFileNames` in `api/konfig/general.go`.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// How many of the last lines of an error are shown.
const LINES: usize = 20;

/// What is to be rendered, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Charts: folders, or packed.
    pub charts: Vec<PathBuf>,
    /// Files of values for all charts, later ones over earlier ones.
    pub values: Vec<PathBuf>,
    /// Single values, `KEY=VALUE`.
    pub set: Vec<String>,
    /// The name of the release; helm's own default when absent.
    pub release: Option<String>,
    /// The namespace of the release.
    pub namespace: String,
    /// The version of Kubernetes that charts see.
    pub minor: Minor,
    /// Folders of kustomizations.
    pub kustomizations: Vec<PathBuf>,
}

/// What came of one chart or kustomization.
#[derive(Clone, Debug)]
pub struct Output {
    /// The text, under the name that the user gave.
    pub source: Source,
    /// The program: `helm`.
    pub program: String,
    /// What it said beside: warnings.
    pub said: String,
}

/// One thing to render: the command that does, and what is known of its output.
struct Job {
    shown: String,
    program: String,
    command: Command,
    rendered: Rendered,
}

/// The file that makes `folder` a kustomization, if there is one.
#[must_use]
pub fn kustomization_in(folder: &Path) -> Option<PathBuf> {
    let mut names = KUSTOMIZATIONS.iter();
    let file = names.find(|name| folder.join(name).is_file())?;
    Some(folder.join(file))
}

/// Renders everything, charts first. `watch` hears each second what is being rendered, and for how
/// long already. Whatever ends podgate in between ends the program, too.
pub fn render(options: &Options, watch: &dyn Fn(&str, Duration)) -> Result<Vec<Output>, Error> {
    let charts = options.charts.iter().map(|chart| helm(chart, options));
    let folders = options.kustomizations.iter().map(|it| kustomize(it));
    let jobs: Vec<Job> = charts.chain(folders).collect::<Result<_, _>>()?;
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let run = Run::start(&lifecycle::Options::default())?;
    let jobs = jobs.into_iter().enumerate();
    let outputs = jobs.map(|(at, job)| job.run(&run, at, watch)).collect();
    run.end()?;
    outputs
}

fn helm(chart: &Path, options: &Options) -> Result<Job, Error> {
    let shown = chart.display().to_string();
    if !chart.exists() {
        return Err(
            Error::input(format!("--helm {shown}: there is no such chart"))
                .hint("name the folder of a chart, or a packed one; helm pull fetches those that are elsewhere"),
        );
    }
    let helm = binary(HELM, "helm").ok_or_else(|| {
        Error::environment(format!("there is no helm to render {shown} with")).hint(format!(
            "install helm, or name it with {HELM}; or render it elsewhere: helm template CHART | podgate check -"
        ))
    })?;
    let mut command = Command::new(helm);
    command.args(["template", "--namespace", &options.namespace]);
    command.args(["--kube-version", &format!("v{}.0", options.minor)]);
    for file in &options.values {
        command.arg("--values").arg(file);
    }
    for value in &options.set {
        command.args(["--set", value]);
    }
    command.arg("--").args(&options.release).arg(chart);
    Ok(Job {
        shown,
        program: "helm".to_owned(),
        command,
        rendered: Rendered {
            folder: chart.to_owned(),
            whole: None,
        },
    })
}

fn kustomize(folder: &Path) -> Result<Job, Error> {
    let shown = folder.display().to_string();
    let whole = kustomization_in(folder).ok_or_else(|| {
        Error::input(format!(
            "--kustomize {shown}: there is no kustomization in it"
        ))
        .hint(format!(
            "name a folder with one of {}",
            KUSTOMIZATIONS.join(", ")
        ))
    })?;
    let kustomize = binary(KUSTOMIZE, "kustomize").map(|it| ("kustomize", it, "build"));
    let kubectl = || on_path("kubectl").map(|it| ("kubectl", it, "kustomize"));
    let (program, binary, subcommand) = kustomize.or_else(kubectl).ok_or_else(|| {
        Error::environment(format!(
            "there is no kustomize and no kubectl to render {shown} with"
        ))
        .hint(format!(
            "install one of them, or name kustomize with {KUSTOMIZE}; or render it elsewhere: \
             kustomize build DIR | podgate check -"
        ))
    })?;
    let mut command = Command::new(binary);
    command.arg(subcommand);
    command.arg("--").arg(folder);
    Ok(Job {
        shown,
        program: program.to_owned(),
        command,
        rendered: Rendered {
            folder: folder.to_owned(),
            whole: Some(whole),
        },
    })
}

/// A program: the one that a variable names, else the one on the `PATH`.
fn binary(variable: &str, program: &str) -> Option<PathBuf> {
    let named = env::var_os(variable).filter(|named| !named.is_empty());
    named.map(PathBuf::from).or_else(|| on_path(program))
}

impl Job {
    fn run(self, run: &Run, at: usize, watch: &dyn Fn(&str, Duration)) -> Result<Output, Error> {
        let Self {
            shown,
            program,
            command,
            rendered,
        } = self;
        let log = run.log(&format!("render-{at}"), &program)?;
        let (process, stdout) = run.spawn_piped(&program, command, &log)?;
        let what = format!("{program} renders {shown}");
        let started = Instant::now();
        let (text, status) = result(&process, stdout, &|| watch(&what, started.elapsed()))
            .map_err(|error| {
                Error::environment(format!(
                    "cannot read what {program} prints of {shown}: {error}"
                ))
            })?;
        let said = process.last_lines(LINES);
        let heading = format!("{program} says:");
        match status {
            None => Err(Error::input(format!(
                "{program} prints more than {} MiB of {shown}",
                LIMIT >> 20
            ))
            .hint("podgate audit - reads input of any size from a pipe")),
            Some(status) if status.success() => Ok(Output {
                source: Source::new(shown, text).rendered(rendered),
                program,
                said,
            }),
            Some(status) if status.code().is_none() => Err(Error::environment(format!(
                "{program} was ended while it rendered {shown}: {status}"
            ))
            .details(heading, &said)),
            Some(status) => {
                let error = Error::input(format!("{program} cannot render {shown}: {status}"));
                let hint = hint(&said, &shown);
                Err(error.hint(hint).details(heading, &said))
            }
        }
    }
}

/// What to do where a program refuses.
fn hint(said: &str, shown: &str) -> String {
    if said.contains("missing in charts/") {
        format!("helm dependency build {shown}")
    } else if said.contains("--enable-helm") {
        format!("kustomize build --enable-helm {shown} | podgate check -")
    } else {
        format!("mend {shown}, or the values that it is given")
    }
}

/// What a program printed, and how it ended; `None` where it printed too much. `tick` is called each
/// second.
fn result(
    process: &Process,
    stdout: ChildStdout,
    tick: &dyn Fn(),
) -> io::Result<(Vec<u8>, Option<ExitStatus>)> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.take(LIMIT + 1).read_to_end(&mut text);
        // Nobody waits any more where podgate is about to end.
        let _ = sender.send(read.map(|_| text));
    });
    let text = loop {
        match receiver.recv_timeout(Duration::from_secs(1)) {
            Ok(read) => break read?,
            Err(RecvTimeoutError::Timeout) => tick(),
            Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
        }
    };
    if u64::try_from(text.len()).is_ok_and(|length| length > LIMIT) {
        return Ok((Vec::new(), None));
    }
    let closed = Instant::now();
    loop {
        if let Some(status) = process.exited() {
            return Ok((text, Some(status)));
        }
        // It has closed its output, so it is about to end.
        thread::sleep(Duration::from_millis(2));
        if closed.elapsed() > Duration::from_secs(1) {
            tick();
        }
    }
}
