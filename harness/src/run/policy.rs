//! The `PodSecurityPolicy` that a pod of a scenario was admitted by, and whether only a member of
//! `system:masters` gets it.

use http::Method;
use podgate_admission::resource;
use serde_json::{Value, json};

use super::{Runner, collection};
use crate::error::Error;
use crate::exchange::{Answer, Identity};
use crate::outcome::By;
use crate::psp::{ANNOTATION, AppliedPolicy};
use crate::suite::Manifest;

impl Runner<'_> {
    /// The policy that the pod in `answer`, which was made of `sent`, was admitted by.
    pub(super) fn applied_policy(&self, sent: &[u8], answer: &Answer) -> Option<AppliedPolicy> {
        if !self.has_psp || answer.code != 201 || answer.body["kind"] != "Pod" {
            return None;
        }
        AppliedPolicy::of(&serde_json::from_slice(sent).ok()?, &answer.body)
    }

    /// The same of a pod that `identity` has just created. For a member of `system:masters`, who may
    /// use every policy, a controller asks for the pod once more, in dry run.
    pub(super) async fn new_pods_policy(
        &self,
        manifest: &Manifest,
        answer: &Answer,
        identity: &Identity,
    ) -> Result<Option<AppliedPolicy>, Error> {
        let mut applied = self.applied_policy(manifest.body.as_bytes(), answer);
        if let Some(applied) = &mut applied
            && identity.is_master()
        {
            applied.only_by_masters = self
                .only_by_masters(&applied.policy, answer, manifest)
                .await?;
        }
        Ok(applied)
    }

    /// Whether a controller gets another policy for the pod, or none: it may create pods, and has no
    /// policy of its own, so that only the pod's service account counts.
    async fn only_by_masters(
        &self,
        policy: &str,
        created: &Answer,
        manifest: &Manifest,
    ) -> Result<bool, Error> {
        let Some(pods) = resource::by_path("", "v1", "pods", self.minor) else {
            return Ok(false);
        };
        let controller = Identity::User {
            name: "system:serviceaccount:kube-system:replicaset-controller".to_owned(),
            groups: Vec::new(),
        };
        // Under a name of its own: that of the pod is taken by now.
        let mut pod: Value = serde_json::from_str(&manifest.body).unwrap_or_default();
        pod["metadata"]["name"] = Value::Null;
        pod["metadata"]["generateName"] = json!("podgate-");
        let body = pod.to_string();
        let namespace = created.body["metadata"]["namespace"].as_str();
        let path = format!("{}?dryRun=All", collection(pods, namespace));
        let body = Some(("application/json", body.as_bytes()));
        let answer = self.send(Method::POST, &path, body, &controller).await?;
        if answer.succeeded() {
            let got = answer.body["metadata"]["annotations"][ANNOTATION].as_str();
            return Ok(got.is_some_and(|got| got != policy));
        }
        let verdict = self.verdict(&answer, pods, namespace);
        let by = verdict.rejection().map(|rejection| rejection.by);
        Ok(by == Some(By::PodSecurityPolicy))
    }
}
