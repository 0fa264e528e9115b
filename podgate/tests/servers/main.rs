//! `podgate test --backend apiserver` from end to end, with stand-ins for etcd and kube-apiserver: what
//! runs, what goes wrong, and that nothing is left, whichever way a run ends.
//!
//! This program is also the stand-ins: started under the name of a component it poses as that.

#![cfg(unix)]

mod folder;
mod kill;
mod stand_in;
mod trouble;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    match Path::new(&name).file_name().and_then(|name| name.to_str()) {
        Some("etcd") => return stand_in::etcd(),
        Some("kube-apiserver") => return stand_in::kube_apiserver(),
        Some("panics") => return stand_in::panics(),
        _ => {}
    }
    let arguments = Arguments::from_args();
    let mut trials = trouble::trials();
    trials.extend(kill::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test that fails where `test` panics.
fn trial(name: impl Into<String>, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        test();
        Ok::<(), Failed>(())
    })
}
