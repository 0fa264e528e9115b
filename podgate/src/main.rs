//! The command line of podgate: the only crate with flags, colour, stdout and exit codes. It
//! decides nothing about policy.

mod args;
mod command;
mod exit;
mod show;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anstream::ColorChoice;
use clap::{CommandFactory, FromArgMatches};
use podgate_harness::error::Error;

use crate::args::{Cli, ColorWhen, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let matches = command_line(&arguments).get_matches_from(&arguments);
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Some((_, matches)) = matches.subcommand() {
        match &mut cli.command {
            Command::Check(it) => it.input.in_order(matches),
            Command::Audit(it) => it.input.in_order(matches),
            Command::Diff(it) => it.input.in_order(matches),
            Command::Fix(it) => it.input.in_order(matches),
            _ => {}
        }
    }
    match cli.color {
        ColorWhen::Auto => {}
        ColorWhen::Always => ColorChoice::Always.write_global(),
        ColorWhen::Never => ColorChoice::Never.write_global(),
    }
    let exit = run(cli).unwrap_or_else(|error| {
        show::error(&error);
        Exit::of(&error)
    });
    ExitCode::from(exit.code())
}

/// The command line, under the name by which it was called: installed as `kubectl-podgate` it is a
/// plugin of kubectl, and its help says `kubectl podgate`.
fn command_line(arguments: &[OsString]) -> clap::Command {
    let called = arguments.first().map(Path::new).and_then(Path::file_stem);
    if called.is_some_and(|name| name == "kubectl-podgate") {
        Cli::command().bin_name("kubectl podgate")
    } else {
        Cli::command()
    }
}

fn run(cli: Cli) -> Result<Exit, Error> {
    if let Some(folder) = &cli.directory {
        std::env::set_current_dir(folder).map_err(|error| {
            Error::input(format!("cannot change to {}: {error}", folder.display()))
                .hint("-C takes a folder that is there")
        })?;
    }
    match cli.command {
        Command::Test(args) => command::test::run(&args),
        Command::Verify(args) => command::verify::run(&args),
        Command::Matrix(args) => command::matrix::run(&args),
        Command::Merge(args) => command::merge::run(&args),
        Command::Coverage(args) => command::coverage::run(&args),
        Command::Check(args) => command::check::run(&args),
        Command::Audit(args) => command::audit::run(&args),
        Command::Diff(args) => command::diff::run(&args),
        Command::Fix(args) => command::fix::run(&args),
        Command::Explain(args) => command::explain::run(&args),
        Command::Serve(args) => command::serve::run(&args),
        Command::Review(args) => command::review::run(&args),
        Command::Up(args) => command::up::run(&args),
        Command::Down(args) => command::down::run(&args),
        Command::Clean(args) => command::clean::run(&args),
        Command::Init(args) => command::init::run(&args),
        Command::Versions(args) => command::versions::run(&args),
        Command::Man { folder } => command::man::run(&folder),
        Command::Schemas { folder } => command::schemas::run(&folder),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "podgate", &mut script);
            show::data(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Expected)
        }
    }
}
