//! Judges one object: a dry run of it, and for a workload one of the pod that its controller would
//! create, straight through the admission chain.

use podgate_admission::controller;
use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::{encode, encode_untyped};
use podgate_admission::plugins::Plugin;
use podgate_admission::plugins::pod_security_policy::Explanation;
use podgate_admission::request::{Body, FieldValidation, Operation, Request, Response, User};
use podgate_admission::resource::{self, Resource};
use podgate_admission::value::{Object, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

use super::context::{Context, served};
use super::finding::{AnswerLine, Finding, PodFinding};
use super::trial::Trial;
use crate::attribute::{self, StatusView};
use crate::error::Error;
use crate::outcome::{By, Rejection, Stage, Verdict};
use crate::psp::AppliedPolicy;
use crate::suite::Manifest;

/// What a server sets, and what `check` therefore ignores in dumps of live objects.
const SET_BY_SERVER: [&str; 5] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
];

/// Who creates the pods of kinds that are not Kubernetes' own: Argo's Rollouts make replica sets, and
/// Knative's Services deployments.
const CONTROLLER: &str = "system:serviceaccount:kube-system:replicaset-controller";

/// The verdict on one object, and what is wrong with its text where the server cannot read it.
pub(super) struct Judged {
    pub(super) finding: Finding,
    pub(super) unreadable: Option<Error>,
}

/// Judges `manifest` on the server of `context`.
pub(super) fn judge(
    context: &Context,
    manifest: &Manifest,
    default_namespace: &str,
    show_object: bool,
) -> Judged {
    let namespace = manifest.document.namespace().unwrap_or(default_namespace);
    let mut finding = Finding {
        object: format!("{}/{namespace}/{}", manifest.kind(), manifest.name),
        file: manifest.document.file().to_owned(),
        line: manifest.document.start().line,
        source: manifest.document.source_file(),
        cluster: context.cluster.clone(),
        minor: context.minor,
        answer: AnswerLine::of(Stage {
            requester: context.requester.clone(),
            verdict: Verdict::Admitted,
            warnings: Vec::new(),
            psp: None,
            audit_annotations: Some(BTreeMap::new()),
        }),
        ok: false,
        pods: None,
        stored: None,
    };
    if manifest.template.is_some() {
        return judge_template(context, manifest, namespace, finding, show_object);
    }
    let Some(resource) = served(manifest, context.minor) else {
        let message = format!(
            "no matches for kind \"{}\" in version \"{}\"",
            manifest.kind(),
            manifest.api_version()
        );
        let (by, checks) = (By::NotFound, Vec::new());
        finding.answer.reject(Rejection {
            code: 404,
            by,
            checks,
            message,
        });
        return Judged {
            finding,
            unreadable: None,
        };
    };
    let body = without_server_fields(&manifest.body);
    let (response, explanation) = ask(
        context,
        resource,
        namespace,
        &context.user,
        Body::Json(body.as_bytes()),
    );
    let mut stage = stage(context, resource, namespace, &response, &context.requester);
    if stage.verdict.is_admitted() {
        stage.psp = applied(context, resource, &body, &response, explanation.as_ref());
    }
    let unreadable = stage
        .verdict
        .rejection()
        .filter(|rejection| rejection.by == By::Decode)
        .map(|rejection| manifest.unreadable(&body, resource, context.minor, &rejection.message));
    finding.ok = stage.verdict.is_admitted();
    finding.answer = AnswerLine::of(stage);
    finding.answer.trial = explanation.map(Trial::from);
    if let Ok(stored) = &response.outcome {
        if let Some(planned) = controller::pod_of(resource, stored, context.minor) {
            let pod = judge_pod(context, namespace, planned, show_object);
            finding.ok &= pod.answer.admitted == Some(true);
            finding.pods = Some(vec![pod]);
        }
        if show_object {
            finding.stored = json(stored, resource, context.minor);
        }
    }
    Judged {
        finding,
        unreadable,
    }
}

/// The pods of that server.
fn pods(context: &Context) -> &'static Resource {
    let Some(pods) = resource::by_path("", "v1", "pods", context.minor) else {
        unreachable!("every minor serves pods")
    };
    pods
}

/// Judges the pod that the controller of a workload would create.
fn judge_pod(
    context: &Context,
    namespace: &str,
    planned: controller::Planned,
    show_object: bool,
) -> PodFinding {
    let has_psp = context.server.config().has(Plugin::PodSecurityPolicy);
    let sent = has_psp.then(|| encode_untyped(&planned.pod));
    let prefix = planned
        .pod
        .text_at(&["metadata", "generateName"])
        .to_owned();
    let body = Body::Decoded(planned.pod);
    pod(
        context,
        namespace,
        &planned.user,
        (body, &prefix, sent),
        show_object,
    )
}

/// Judges a pod of the template of a kind that is not Kubernetes' own. Such an object itself is none that
/// Pod Security or a `PodSecurityPolicy` looks at; what its own schema says is not known here.
fn judge_template(
    context: &Context,
    manifest: &Manifest,
    namespace: &str,
    mut finding: Finding,
    show_object: bool,
) -> Judged {
    let user = podgate_apiserver::user::impersonated(CONTROLLER.to_owned(), Vec::new());
    let sent = manifest.asked();
    let prefix = format!("{}-", manifest.name);
    let body = Body::Json(sent.as_bytes());
    let asked = (body, prefix.as_str(), Some(sent.to_string()));
    let pod = pod(context, namespace, &user, asked, show_object);
    let answer = &pod.answer;
    let message = answer
        .message
        .as_ref()
        .filter(|_| answer.by == Some(By::Decode));
    let unreadable = message.map(|it| manifest.unreadable(&sent, pods(context), context.minor, it));
    finding.ok = answer.admitted == Some(true);
    finding.pods = Some(vec![pod]);
    Judged {
        finding,
        unreadable,
    }
}

/// Judges a pod that `user` creates: its body, what its name begins with, and what was sent, where that
/// is to be compared with what is stored.
fn pod<'a>(
    context: &Context,
    namespace: &'a str,
    user: &'a User,
    (body, prefix, sent): (Body<'a>, &'a str, Option<String>),
    show_object: bool,
) -> PodFinding {
    let pods = pods(context);
    let requester = user.name.rsplit(':').next().unwrap_or_default().to_owned();
    let (response, explanation) = ask(context, pods, namespace, user, body);
    let stored = response.outcome.as_ref().ok();
    let name = match &response.outcome {
        Ok(pod) => pod.text_at(&["metadata", "name"]),
        // Where it is refused after names are generated, the Status has the name.
        Err(status) => match status.details.as_deref() {
            Some(details) if !details.name.is_empty() => &details.name,
            _ => prefix,
        },
    };
    let mut stage = stage(context, pods, namespace, &response, &requester);
    if let (true, Some(sent)) = (stage.verdict.is_admitted(), sent) {
        stage.psp = applied(context, pods, &sent, &response, explanation.as_ref());
    }
    PodFinding {
        object: format!("Pod/{namespace}/{name}"),
        answer: AnswerLine {
            trial: explanation.map(Trial::from),
            ..AnswerLine::of(stage)
        },
        stored: stored
            .filter(|_| show_object)
            .and_then(|pod| json(pod, pods, context.minor)),
    }
}

/// One dry run, with what the server does to fields that it does not know by default. As on a server
/// the requester must be allowed to ask.
fn ask<'a>(
    context: &Context,
    resource: &'static Resource,
    namespace: &'a str,
    user: &'a User,
    body: Body<'a>,
) -> (Response<'a>, Option<Explanation>) {
    if let Err(status) = context.server.authorize_create(user, resource, namespace) {
        let refused = Response {
            outcome: Err(status),
            warnings: Vec::new(),
            audit: Vec::new(),
        };
        return (refused, None);
    }
    context.server.admit_explained(Request {
        operation: Operation::Create,
        resource,
        subresource: None,
        namespace: if resource.namespaced { namespace } else { "" },
        name: "",
        user,
        dry_run: true,
        field_validation: FieldValidation::default(),
        body,
        old: None,
    })
}

/// The policy that a pod is admitted by, and what it changed.
fn applied(
    context: &Context,
    resource: &Resource,
    sent: &str,
    response: &Response<'_>,
    explanation: Option<&Explanation>,
) -> Option<AppliedPolicy> {
    let explanation = explanation?;
    let stored = json(response.outcome.as_ref().ok()?, resource, context.minor)?;
    let sent = serde_json::from_str(sent).ok()?;
    let mut applied = AppliedPolicy::of(&sent, &stored)?;
    applied.only_by_masters = explanation.only_by_masters();
    Some(applied)
}

fn stage(
    context: &Context,
    resource: &Resource,
    namespace: &str,
    response: &Response<'_>,
    requester: &str,
) -> Stage {
    let undecided = context.foreign.undecided(resource, namespace);
    let verdict = match (&response.outcome, undecided) {
        (_, Some(reason)) => Verdict::Undecided { reason },
        (Ok(_), None) => Verdict::Admitted,
        (Err(status), None) => {
            let details = status.details.as_deref();
            attribute::verdict(
                &StatusView {
                    resource: resource.name,
                    code: status.code,
                    reason: status.reason,
                    message: &status.message,
                    name: details.map_or("", |details| &details.name),
                    group: details.map_or("", |details| &details.group),
                    kind: details.map_or("", |details| &details.kind),
                },
                context.minor,
            )
        }
    };
    Stage {
        requester: requester.to_owned(),
        verdict,
        warnings: response.warnings.clone(),
        psp: None,
        audit_annotations: Some(response.audit.iter().cloned().collect()),
    }
}

/// The object without what a server sets, so that a dump of a live cluster reads like a manifest.
pub(super) fn without_server_fields(body: &str) -> Cow<'_, str> {
    // The body's keys are sorted and its spelling is ours, so this finds every candidate.
    let suspect = SET_BY_SERVER
        .iter()
        .chain(&["status"])
        .any(|key| body.contains(&format!("\"{key}\":")));
    if !suspect {
        return Cow::Borrowed(body);
    }
    let Ok(Value::Object(mut object)) = decode_untyped(body.as_bytes()) else {
        return Cow::Borrowed(body);
    };
    object.remove("status");
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        let metadata: &mut Object<'_> = metadata;
        metadata.retain(|key, _| !SET_BY_SERVER.contains(&key));
    }
    Cow::Owned(encode_untyped(&Value::Object(object)))
}

fn json(
    object: &Value<'_>,
    resource: &Resource,
    minor: podgate_policy::Minor,
) -> Option<serde_json::Value> {
    serde_json::from_str(&encode(object, resource.schema, minor)).ok()
}
