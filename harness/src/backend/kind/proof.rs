//! Proof that a kind cluster has the configuration that was asked for: the arguments with which its kube-apiserver
//! runs, as the mirror pod of its static pod tells them. kind drops a patch of kubeadm's configuration that does not
//! match, and the cluster then admits everything.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::Error;

/// Compares the pod of kube-apiserver with the arguments that it has to run with.
pub(super) fn arguments(pod: &Value, wanted: &BTreeMap<&'static str, String>) -> Result<(), Error> {
    let container = &pod["spec"]["containers"][0];
    let words = ["command", "args"]
        .iter()
        .filter_map(|part| container[part].as_array())
        .flatten()
        .filter_map(Value::as_str);
    // Of a flag that is given twice, the last counts.
    let running: BTreeMap<&str, &str> = words
        .filter_map(|word| word.strip_prefix("--")?.split_once('='))
        .collect();
    for (&flag, value) in wanted {
        let found = running.get(flag).copied();
        if found != Some(value.as_str()) {
            let found = match found {
                Some(other) => format!("with --{flag}={other}"),
                None => format!("without --{flag}"),
            };
            return Err(Error::environment(format!(
                "the configuration did not take: kube-apiserver runs {found}, and --{flag}={value} was asked for"
            ))
            .hint(
                "kind drops a patch that does not match its kubeadm configuration: try the kind release that \
                 `podgate versions` names for this minor",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(words: &[&str]) -> Value {
        json!({"spec": {"containers": [{"command": words}]}})
    }

    #[test]
    fn the_arguments_of_a_running_server_are_compared() {
        let wanted = BTreeMap::from([(
            "enable-admission-plugins",
            "NodeRestriction,PodSecurityPolicy".to_owned(),
        )]);
        let with = |value: &str| format!("--enable-admission-plugins={value}");
        let good = with("NodeRestriction,PodSecurityPolicy");
        assert!(arguments(&pod(&["kube-apiserver", "--v=2", &good]), &wanted).is_ok());
        let error =
            arguments(&pod(&["kube-apiserver", &with("NodeRestriction")]), &wanted).unwrap_err();
        assert!(
            error
                .message()
                .contains("runs with --enable-admission-plugins=NodeRestriction,"),
            "{error}"
        );
        let error = arguments(&pod(&["kube-apiserver"]), &wanted).unwrap_err();
        assert!(
            error
                .message()
                .contains("runs without --enable-admission-plugins"),
            "{error}"
        );
        assert!(arguments(&Value::Null, &wanted).is_err());
        assert!(arguments(&Value::Null, &BTreeMap::new()).is_ok());
    }
}
