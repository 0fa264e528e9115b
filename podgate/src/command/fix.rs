//! `podgate fix`: the smallest change that makes manifests pass, as a diff or in the files.

mod write;

use podgate_harness::check::{Options, Policy};
use podgate_harness::error::Error;
use podgate_harness::fix::{self, File, Origin, Outcome};

use super::render::{rendered, unbuilt};
use crate::args::FixArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::fixes;

pub(crate) fn run(args: &FixArgs) -> Result<Exit, Error> {
    if args.input.files.is_empty() && args.rendered.is_empty() {
        return Err(Error::input("there is nothing to fix")
            .hint("name files or folders, or `-` for standard input: podgate fix k8s/ --enforce restricted"));
    }
    if args.write && !args.rendered.is_empty() {
        return Err(Error::input(
            "--write cannot change what is rendered: a template is no manifest",
        )
        .hint(
            "without --write the diff says what the templates have to come to; \
                 helm template CHART | podgate fix - --write prints it with the change made",
        ));
    }
    let enforce = super::check::level("--enforce", args.enforce.as_deref())?;
    let targets = super::check::targets(&args.cluster, args.kubernetes.as_deref())?;
    let minors = targets.iter().map(|target| target.minor);
    let options = Options {
        files: args.input.files.clone(),
        recursive: args.input.recursive,
        rendered: rendered(&args.rendered, &args.input, minors)?,
        templates: Vec::new(),
        namespace: args.input.namespace.clone(),
        // Of a PodTemplate, from which no controller makes pods, the server only warns.
        policy: Policy {
            enforce,
            warn: enforce,
            audit: None,
        },
        requester: None,
        show_object: false,
        locate: false,
        targets,
    };
    unbuilt(&args.input);
    let files = fix::fix(&options)?;
    for file in &files {
        match &file.origin {
            Origin::Stdin if args.write => show::data(&file.after)?,
            Origin::File(path) if args.write => write::replace(path, &file.before, &file.after)?,
            Origin::Stdin => show::data(&fixes::diff("stdin.yaml".as_ref(), file))?,
            Origin::File(path) => show::data(&fixes::diff(path, file))?,
            Origin::Rendered(name) => {
                let name = format!("{name} (rendered)");
                show::data(&fixes::diff(name.as_ref(), file))?;
            }
        }
    }
    let exit = exit(&files);
    fixes::tell(&files, args.write);
    Ok(exit)
}

fn exit(files: &[File]) -> Exit {
    let of_object = |outcome: &Outcome| match outcome {
        Outcome::Admitted | Outcome::Fixed(_) => Exit::Expected,
        Outcome::Left(_) => Exit::Different,
        Outcome::Undecided(_) => Exit::BadInput,
        Outcome::Unreadable(error) => Exit::of(error),
    };
    let objects = files.iter().flat_map(|file| &file.objects);
    let objects = objects.map(|object| of_object(&object.outcome));
    let unreadable = files.iter().flat_map(|file| &file.unreadable);
    let unreadable = unreadable.map(Exit::of);
    objects
        .chain(unreadable)
        .max()
        .unwrap_or(Exit::NothingToRun)
}
