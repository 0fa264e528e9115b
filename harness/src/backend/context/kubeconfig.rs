//! The one context that was named, out of the user's kubeconfig. No other is ever looked at, and the
//! current one means nothing here.

use std::path::Path;

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use podgate_manifest::nearest_name;

use crate::error::{Error, causes};

/// How to reach the cluster of the context `name`: of `file`, or of the files that `KUBECONFIG` names,
/// or of `~/.kube/config`.
pub(super) async fn configuration(file: Option<&Path>, name: &str) -> Result<Config, Error> {
    let kubeconfig = match file {
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    };
    select(kubeconfig.map_err(|error| unreadable(&error))?, name).await
}

async fn select(kubeconfig: Kubeconfig, name: &str) -> Result<Config, Error> {
    let known: Vec<&str> = kubeconfig
        .contexts
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    if !known.contains(&name) {
        let hint = match nearest_name(name, known.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if known.is_empty() => {
                "it has none: --kubeconfig or KUBECONFIG names the file that has".to_owned()
            }
            None => format!("the contexts are {}", known.join(", ")),
        };
        return Err(
            Error::environment(format!("the kubeconfig has no context `{name}`")).hint(hint),
        );
    }
    let context = kubeconfig
        .contexts
        .iter()
        .find(|context| context.name == name);
    let user = context.and_then(|named| named.context.as_ref()?.user.as_ref());
    if let Some(user) = user
        && !kubeconfig
            .auth_infos
            .iter()
            .any(|named| named.name == *user)
    {
        // kube would go on as nobody.
        return Err(Error::environment(format!(
            "context `{name}` cannot be used: the kubeconfig has no user `{user}`"
        ))
        .hint("kubectl config view --minify --context shows it"));
    }
    let options = KubeConfigOptions {
        context: Some(name.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let config = config.map_err(|error| {
        Error::environment(format!(
            "context `{name}` cannot be used: {}",
            causes(&error)
        ))
        .hint("kubectl config view --minify --context shows it")
    })?;
    if config.auth_info.impersonate.is_some() {
        // podgate acts as others itself, and two who ask are one too many.
        return Err(Error::environment(format!(
            "the user of context `{name}` acts as somebody else (`as` in the kubeconfig)"
        ))
        .hint("name a context whose user does not; `as` of a cluster file or a scenario says who applies"));
    }
    Ok(config)
}

fn unreadable(error: &KubeconfigError) -> Error {
    let message = match error {
        KubeconfigError::ReadConfig(source, path) => {
            format!("cannot read the kubeconfig {}: {source}", path.display())
        }
        KubeconfigError::FindPath => "there is no kubeconfig".to_owned(),
        error => format!("the kubeconfig cannot be used: {}", causes(error)),
    };
    Error::environment(message).hint("--kubeconfig or KUBECONFIG names the file")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::error::ErrorKind;

    const TWO: &str = "
apiVersion: v1
kind: Config
current-context: other
clusters:
- {name: c, cluster: {server: 'https://127.0.0.1:1'}}
- {name: none, cluster: {}}
users:
- {name: u, user: {token: t}}
- {name: as, user: {token: t, as: somebody}}
contexts:
- {name: staging, context: {cluster: c, user: u}}
- {name: other, context: {cluster: c, user: nobody}}
- {name: as, context: {cluster: c, user: as}}
- {name: nowhere, context: {cluster: none, user: u}}
";

    async fn of(text: &str, name: &str) -> Result<Config, Error> {
        select(Kubeconfig::from_yaml(text).expect("well formed"), name).await
    }

    #[rstest]
    #[case(TWO, "stagging", "no context `stagging`", "did you mean `staging`?")]
    #[case(TWO, "x", "no context `x`", "the contexts are staging, other")]
    #[case("apiVersion: v1\nkind: Config\n", "x", "no context `x`", "it has none")]
    #[case(
        TWO,
        "as",
        "acts as somebody else",
        "name a context whose user does not"
    )]
    #[case(TWO, "other", "context `other` cannot be used", "kubectl config view")]
    #[case(
        TWO,
        "nowhere",
        "context `nowhere` cannot be used",
        "kubectl config view"
    )]
    #[tokio::test(flavor = "current_thread")]
    async fn refused(
        #[case] text: &str,
        #[case] name: &str,
        #[case] message: &str,
        #[case] hint: &str,
    ) {
        let error = of(text, name).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Environment);
        assert!(error.message().contains(message), "{error}");
        assert!(
            error.what_to_do().is_some_and(|text| text.contains(hint)),
            "{error}"
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_named_context_is_used_and_not_the_current_one() {
        let config = of(TWO, "staging").await.expect("a configuration");
        assert_eq!(config.cluster_url.to_string(), "https://127.0.0.1:1/");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_file_that_is_not_there() {
        let file = Path::new("/nowhere/kubeconfig");
        let error = configuration(Some(file), "x")
            .await
            .expect_err("no such file");
        assert_eq!(error.kind(), ErrorKind::Environment);
        assert!(error.message().contains("/nowhere/kubeconfig"), "{error}");
    }
}
