//! What is read, and on whose behalf: the flags that check, audit, diff and fix share.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgMatches, Args};
use podgate_harness::error::Error;
use podgate_harness::suite::{Project, Requester};
use podgate_harness::template::{Template, TemplateError};

/// What is read: manifests or dumps.
#[derive(Clone, Debug, Args)]
pub(crate) struct Input {
    /// Files, folders, or `-` for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The same as naming a file without a flag.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub(crate) filenames: Vec<PathBuf>,

    /// Looks into folders below a folder, too.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,

    /// The namespace of objects that name none.
    #[arg(short, long, default_value = "default")]
    pub(crate) namespace: String,
}

impl Input {
    /// Puts the files in the order in which they were typed, whether behind `-f` or not.
    pub(crate) fn in_order(&mut self, matches: &ArgMatches) {
        let indices = |id: &str| {
            let indices = matches.indices_of(id).into_iter().flatten();
            indices.collect::<Vec<usize>>()
        };
        let at = [indices("files"), indices("filenames")].concat();
        let typed = self.files.drain(..).chain(self.filenames.drain(..));
        let mut typed: Vec<(usize, PathBuf)> = at.into_iter().zip(typed).collect();
        typed.sort_by_key(|(at, _)| *at);
        self.files = typed.into_iter().map(|(_, file)| file).collect();
    }
}

/// Charts and kustomizations, which are rendered first.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Charts and kustomizations")]
pub(crate) struct Rendered {
    /// A Helm chart, a folder or packed: what helm template prints of it is judged. Repeatable. helm
    /// is the one that `PODGATE_HELM` names, else the one on the PATH; the chart is rendered for the
    /// namespace of -n, and for the newest version of Kubernetes that is asked for.
    #[arg(long, value_name = "DIR")]
    pub(crate) helm: Vec<PathBuf>,

    /// A file of values for the charts. Repeatable; later ones win.
    #[arg(long, value_name = "FILE", requires = "helm")]
    pub(crate) helm_values: Vec<PathBuf>,

    /// A value for the charts, as helm reads it behind --set. Repeatable.
    #[arg(long, value_name = "KEY=VALUE", requires = "helm")]
    pub(crate) helm_set: Vec<String>,

    /// The name of the charts' release; helm's own default when absent.
    #[arg(long, value_name = "NAME", requires = "helm")]
    pub(crate) helm_release: Option<String>,

    /// A folder with a kustomization: what kustomize build prints of it is judged. Repeatable.
    /// kustomize is the one that `PODGATE_KUSTOMIZE` names, else the one on the PATH, else that of
    /// kubectl.
    #[arg(short = 'k', long, value_name = "DIR")]
    pub(crate) kustomize: Vec<PathBuf>,
}

impl Rendered {
    /// Whether there is nothing to render.
    pub(crate) fn is_empty(&self) -> bool {
        self.helm.is_empty() && self.kustomize.is_empty()
    }
}

/// Pod templates in objects that are not Kubernetes' own.
#[derive(Clone, Debug, Args)]
pub(crate) struct Templates {
    /// Where the objects of another kind have a pod template, whose pods are judged:
    /// argoproj.io/Rollout=spec.template. Repeatable; podgate.yaml has a place for them, too.
    #[arg(long = "template", value_name = "GROUP/KIND=PATH")]
    pub(crate) templates: Vec<String>,
}

impl Templates {
    /// Those of the flags, and behind them those of the project.
    pub(crate) fn with(&self, project: &Project) -> Result<Vec<Arc<Template>>, Error> {
        let read = |text: &String| {
            let template: Result<Template, TemplateError> = text.parse();
            template
                .map(Arc::new)
                .map_err(|error| Error::input(format!("--template: {error}")))
        };
        let mut templates: Vec<Arc<Template>> =
            self.templates.iter().map(read).collect::<Result<_, _>>()?;
        templates.extend(project.templates.iter().cloned());
        Ok(templates)
    }
}

/// On whose behalf it is asked.
#[derive(Clone, Debug, Args)]
pub(crate) struct Applies {
    /// Who applies; when absent whom the cluster names, and else its admin.
    #[arg(long = "as", value_name = "USER")]
    pub(crate) requester: Option<String>,

    /// A group of that user. Repeatable.
    #[arg(long = "as-group", value_name = "GROUP", requires = "requester")]
    pub(crate) groups: Vec<String>,
}

impl Applies {
    /// The user that was named.
    pub(crate) fn requester(&self) -> Option<Requester> {
        self.requester.as_ref().map(|user| Requester {
            user: user.clone(),
            groups: self.groups.clone(),
        })
    }
}
