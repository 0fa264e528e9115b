//! `podgate fix`: the smallest change that makes manifests pass, as a diff or in the files.

mod write;

use podgate_harness::check::{Options, Policy};
use podgate_harness::error::Error;
use podgate_harness::fix::{self, File, Outcome};
use podgate_manifest::Input;

use crate::args::FixArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::fixes;

pub(crate) fn run(args: &FixArgs) -> Result<Exit, Error> {
    if args.input.files.is_empty() {
        return Err(Error::input("there is nothing to fix")
            .hint("name files or folders, or `-` for standard input: podgate fix k8s/ --enforce restricted"));
    }
    let enforce = super::check::level("--enforce", args.enforce.as_deref())?;
    let options = Options {
        files: args.input.files.clone(),
        recursive: args.input.recursive,
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
        targets: super::check::targets(&args.cluster, args.kubernetes.as_deref())?,
    };
    let files = fix::fix(&options)?;
    for file in &files {
        match &file.input {
            Input::Stdin if args.write => show::data(&file.after)?,
            Input::Named(path) | Input::Found(path) if args.write => {
                write::replace(path, &file.before, &file.after)?;
            }
            Input::Stdin => show::data(&fixes::diff("stdin.yaml".as_ref(), file))?,
            Input::Named(path) | Input::Found(path) => show::data(&fixes::diff(path, file))?,
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
