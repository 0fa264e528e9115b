//! Pods of clusters with pod security policies, of which only validation is looked at: a pod that a
//! policy let through, and one that validation refused.

use podgate_admission::chain::{Server, admit};
use serde_json::{Value as Json, json};

use crate::recorded::{self, Tally};
use crate::requests::{admin, answered, create, resource_of, told, world};
use crate::world::Names;

/// Whether a policy sets `allowPrivilegeEscalation: false` in the containers that leave it open,
/// which validation then refuses where they are privileged.
fn policies_decide_escalation(policies: &Json) -> bool {
    let mut policies = policies.as_array().into_iter().flatten();
    policies.any(|policy| {
        [
            "allowPrivilegeEscalation",
            "defaultAllowPrivilegeEscalation",
        ]
        .iter()
        .any(|key| policy["spec"][key] == false)
    })
}

fn code_and_message(answer: &Json) -> Json {
    let refused = answer["code"] == 422;
    json!({"refused": refused, "message": if refused { &answer["message"] } else { &Json::Null }})
}

#[test]
fn pods_with_policies() {
    let mut tally = Tally::new("psp");
    for recorded in recorded::lines("psp") {
        let (minor, line) = (recorded.minor, &recorded.json);
        let server = Server::new(minor);
        let objects = world(&json!({}));
        let user = admin();
        let answers = line["truth"].as_array().into_iter().flatten();
        for (index, answer) in answers.enumerate() {
            let by_policy = answer["code"] == 422 && policies_decide_escalation(&line["psps"]);
            // Policies deny before validation.
            if answer["code"] == 403 || by_policy {
                tally.left_out(minor);
                continue;
            }
            let body = recorded.sent_at(&["pods"], index);
            let pod = &line["pods"][index];
            let request = create(body.as_bytes(), resource_of(pod, minor), &user);
            let response = admit(&server, &objects, &mut Names::default(), request);
            let actual = code_and_message(&answered(&response, 201));
            tally.compare(minor, pod, &code_and_message(&told(answer)), &actual);
        }
    }
    tally.finish();
}
