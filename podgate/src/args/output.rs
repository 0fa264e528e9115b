//! How results are told: the formats of the commands.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
    /// YAML.
    Yaml,
}

/// How the results of a run are told.
#[derive(Clone, Debug, Args)]
pub(crate) struct Reports {
    /// How results are printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,

    /// Writes the results to a file, too: json=run.json. Repeatable.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    pub(crate) written: Vec<(Format, PathBuf)>,
}

/// Reads `FORMAT=FILE`.
fn report(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or("write it as FORMAT=FILE, like markdown=summary.md")?;
    Ok((Format::from_str(format, false)?, PathBuf::from(file)))
}

/// The formats of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
    /// YAML.
    Yaml,
    /// `JUnit` XML: for Jenkins, GitLab and others.
    Junit,
    /// SARIF 2.1.0: for code scanning.
    Sarif,
    /// Annotations of a GitHub workflow.
    Github,
    /// Markdown: for a pull request or a step summary.
    Markdown,
    /// One HTML page.
    Html,
}

impl Format {
    /// Whether it says where in a manifest a problem stands; to look for that takes a moment.
    pub(crate) const fn has_places(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Junit | Self::Sarif | Self::Github | Self::Markdown
        )
    }
}

impl Reports {
    /// Every format that was asked for.
    pub(crate) fn all(&self) -> impl Iterator<Item = Format> {
        let written = self.written.iter().map(|(format, _)| *format);
        written.chain([self.output])
    }
}
