//! One loop over the chunks of the input, on every core, with the results in order.
//!
//! Each worker takes the next chunk itself, judges it, and hands the result in. Whoever hands in the
//! one that is due writes it, and those that wait behind it. A worker that is far ahead waits, so
//! memory is bounded by the number of cores, not by the size of the input.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use super::chunk::Chunk;
use super::judge::{Detail, Judge, Part};
use super::known::Known;
use super::namespaces::Namespaces;
use super::report::Report;
use super::source::Inputs;
use crate::check::{Policy, Target};
use crate::error::Error;
use crate::shard::Shard;
use crate::suite::Requester;
use crate::template::Template;
use podgate_policy::Minor;

/// What is to be audited, and against what.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files, folders, and `-` for standard input.
    pub files: Vec<PathBuf>,
    /// Whether folders below a folder count.
    pub recursive: bool,
    /// The namespace of pods that name none.
    pub namespace: String,
    /// The labels that flags put on every namespace.
    pub policy: Policy,
    /// The server of today; `None`: what the labels of the namespaces say on the version that is asked
    /// about.
    pub from: Option<Target>,
    /// The server that judges.
    pub to: Target,
    /// Who creates the pods; `None`: whom the cluster says.
    pub requester: Option<Requester>,
    /// What is wanted of each pod.
    pub detail: Detail,
    /// The part of the records that counts; `None`: all.
    pub shard: Option<Shard>,
    /// Violations that are known already.
    pub known: Known,
    /// Where other kinds than Kubernetes' own have pod templates.
    pub templates: Vec<Arc<Template>>,
}

/// Somebody to whom lines are handed and who watches.
pub trait Watch: Sync {
    /// Takes lines, in order. `Ok(false)` ends the audit: nobody wants more.
    fn lines(&self, lines: &[u8]) -> Result<bool, Error>;

    /// So many bytes are read, as they are stored, and so many pods judged. Comes in order.
    fn progress(&self, read: u64, pods: usize);

    /// The input has so many bytes, as they are stored; it is not told where that is not known.
    fn size(&self, bytes: u64);
}

/// How many results may wait for an earlier one, for each core.
const AHEAD: usize = 4;

/// Audits everything that `options` names.
pub fn audit(options: &Options, watch: &dyn Watch) -> Result<Report, Error> {
    let requester = options.requester.as_ref();
    let mut judge = Judge::new(&options.to, options.policy, requester, options.detail)?
        .default_namespace(&options.namespace)
        .shard(options.shard)
        .templates(options.templates.clone())
        .known(options.known.clone());
    let today = Today {
        from: options.from.as_ref(),
        here: options.to.minor,
    };
    if let Some(target) = today.target(&options.to, options.policy, options.detail) {
        judge = judge.today(&target, requester, options.from.is_some())?;
    }
    let mut namespaces = Arc::default();
    if judge.reads_labels() && !options.files.iter().any(|file| file.as_os_str() == "-") {
        first(&judge, options, &mut namespaces);
    }
    let read = Arc::new(AtomicU64::new(0));
    let inputs = Inputs::new(&options.files, options.recursive, Arc::clone(&read));
    if let Some(size) = inputs.size() {
        watch.size(size);
    }
    let mut inputs = inputs;
    let source = Box::new(move |bytes| inputs.next(bytes));
    let (report, namespaces) = drive(&judge, namespaces, source, &read, watch)?;
    if report.counts.pods > 0 && !judge.has_policy(&namespaces) {
        return Err(Error::input("there is no policy to judge by, so everything would be admitted").hint(
            "name a level (--enforce restricted) or a cluster (--to psa-restricted), or dump the namespaces along \
             (kubectl get namespaces,pods -A -o json)",
        ));
    }
    Ok(report)
}

/// What is known of the configuration of today.
#[derive(Clone, Copy)]
pub(super) struct Today<'t> {
    /// What the user says.
    pub(super) from: Option<&'t Target>,
    /// The minor that runs, as far as that is known.
    pub(super) here: Minor,
}

impl Today<'_> {
    /// The server of today, where it may say something else than `to` with the labels of `policy`, and
    /// somebody wants to know. The labels of the namespaces are what is known where nobody says more.
    pub(super) fn target(self, to: &Target, policy: Policy, detail: Detail) -> Option<Target> {
        let labels = Target {
            cluster: None,
            minor: self.here,
        };
        let other = to.cluster.is_some() || to.minor != self.here || !policy.is_empty();
        let own = (detail == Detail::Groups && other).then_some(labels);
        self.from.cloned().or(own)
    }
}

/// Where chunks come from, in order; it is handed a buffer that may be used again.
pub(super) type Source<'s> = dyn FnMut(Vec<u8>) -> Option<Chunk> + Send + 's;

/// Judges all that comes out of `source`; `read` is how many bytes it has read. Returns the namespaces,
/// too, with those that the input had.
pub(super) fn drive(
    judge: &Judge,
    namespaces: Arc<Namespaces>,
    source: Box<Source<'_>>,
    read: &AtomicU64,
    watch: &dyn Watch,
) -> Result<(Report, Arc<Namespaces>), Error> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let run = Run {
        judge,
        watch,
        read,
        cores,
        input: Mutex::new(Input {
            source,
            namespaces,
            next: 0,
        }),
        output: Mutex::default(),
        written: Condvar::new(),
    };
    if cores == 1 {
        run.work();
    } else {
        thread::scope(|scope| {
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(|| run.work())).collect();
            for worker in workers {
                if let Err(panic) = worker.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        });
    }
    let Run { input, output, .. } = run;
    let namespaces = input
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .namespaces;
    let output = output.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = output.error {
        return Err(error);
    }
    let mut report = output.report;
    report.late = judge.late(&report, &namespaces);
    judge.late_today(&mut report, &namespaces);
    judge.finish(&mut report, &namespaces);
    Ok((report, namespaces))
}

/// Reads the namespaces of all files first, so that it does not matter where they stand. (Standard input
/// can be read once only.)
fn first(judge: &Judge, options: &Options, namespaces: &mut Arc<Namespaces>) {
    let mut inputs = Inputs::new(&options.files, options.recursive, Arc::default());
    let mut bytes = Vec::new();
    while let Some(chunk) = inputs.next(bytes) {
        judge.namespaces(&chunk, namespaces);
        bytes = chunk.bytes;
    }
}

struct Run<'r> {
    judge: &'r Judge,
    watch: &'r dyn Watch,
    read: &'r AtomicU64,
    cores: usize,
    input: Mutex<Input<'r>>,
    output: Mutex<Output>,
    written: Condvar,
}

struct Input<'s> {
    source: Box<Source<'s>>,
    namespaces: Arc<Namespaces>,
    next: usize,
}

#[derive(Default)]
struct Output {
    /// The number of the part that is due.
    due: usize,
    /// Parts that wait for it.
    waiting: BTreeMap<usize, Part>,
    report: Report,
    error: Option<Error>,
    /// Nobody wants more.
    ended: bool,
}

impl Run<'_> {
    fn work(&self) {
        let mut bytes = Vec::new();
        loop {
            let (number, chunk, namespaces) = {
                let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(chunk) = (input.source)(std::mem::take(&mut bytes)) else {
                    return;
                };
                let Input {
                    namespaces, next, ..
                } = &mut *input;
                self.judge.namespaces(&chunk, namespaces);
                let number = *next;
                *next += 1;
                (number, chunk, Arc::clone(namespaces))
            };
            let part = self.judge.judge(&chunk, &namespaces);
            bytes = chunk.bytes;
            if !self.hand_in(number, part) {
                return;
            }
        }
    }

    /// Hands in a part; whether there is more to do.
    fn hand_in(&self, number: usize, part: Part) -> bool {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        while number > output.due + AHEAD * self.cores && !output.ended {
            output = self
                .written
                .wait(output)
                .unwrap_or_else(PoisonError::into_inner);
        }
        output.waiting.insert(number, part);
        loop {
            let due = output.due;
            let Some(part) = output.waiting.remove(&due) else {
                break;
            };
            output.due += 1;
            if output.ended {
                continue;
            }
            if !part.lines.is_empty() {
                match self.watch.lines(&part.lines) {
                    Ok(more) => output.ended = !more,
                    Err(error) => {
                        output.ended = true;
                        output.error = Some(error);
                    }
                }
            }
            output.report.merge(part.report);
            let pods = output.report.counts.pods;
            self.watch.progress(self.read.load(Ordering::Relaxed), pods);
        }
        self.written.notify_all();
        !output.ended
    }
}
