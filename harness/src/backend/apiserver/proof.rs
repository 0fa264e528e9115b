//! What runs is compared with what was asked for, before any scenario counts: the version that the
//! server says, and the plugins that it says it has loaded.
//!
//! Upstream: `NewFromPlugins` in k8s.io/apiserver/pkg/admission/plugins.go logs the plugins at level 0.

use kube::Client;
use podgate_policy::Minor;

use super::BootSpec;
use crate::error::Error;
use crate::exchange::{Call, Identity, exchange};
use crate::lifecycle::Process;

/// The version that the server says; it is one of `minor`.
pub(super) async fn version(client: &Client, minor: Minor) -> Result<String, Error> {
    let call = Call {
        method: http::Method::GET,
        path: "/version".to_owned(),
        body: None,
        identity: &Identity::Admin,
    };
    let body = exchange(client, call).await?.body;
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    // Some distributions write `23+`.
    let number = text("minor").trim_end_matches('+');
    if text("major") != "1" || number != minor.number().to_string() {
        return Err(Error::environment(format!(
            "the server says that it is {}, and {minor} was asked for",
            text("gitVersion")
        ))
        .hint("is another server on that port?"));
    }
    Ok(text("gitVersion").to_owned())
}

/// The server has loaded the plugins that the cluster enables, and none that it disables.
pub(super) fn plugins(apiserver: &Process, spec: &BootSpec<'_>) -> Result<(), Error> {
    let log = apiserver.last_lines(usize::MAX);
    let loaded: Vec<&str> = log
        .lines()
        .filter(|line| {
            line.contains(" admission controller(s) successfully in the following order: ")
        })
        .filter_map(|line| line.rsplit_once(": "))
        .flat_map(|(_, names)| names.trim_end_matches('.').split(','))
        .collect();
    let flags = spec.flags();
    let missing = flags
        .enable_admission_plugins
        .iter()
        .find(|name| !loaded.contains(&name.as_str()));
    let extra = flags
        .disable_admission_plugins
        .iter()
        .find(|name| loaded.contains(&name.as_str()));
    let what = match (missing, extra) {
        (Some(name), _) => {
            format!("the server does not say that it loaded the admission plugin {name}")
        }
        (_, Some(name)) => {
            format!("the server loaded the admission plugin {name}, which is disabled")
        }
        (None, None) => return Ok(()),
    };
    Err(
        Error::environment(format!("the configuration did not take: {what}"))
            .hint("--logs DIR keeps what kube-apiserver says"),
    )
}
