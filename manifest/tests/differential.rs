//! Reads thousands of small texts twice, here and with kubectl's own code, and compares.
//!
//! kubectl's code is the Go module `upstream/yaml`. Without Go, or without its modules, the test
//! says so and returns. `PODGATE_DIFFERENTIAL` sets how many texts are made, 4000 if it is not set.

use std::{
    env,
    io::{self, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use podgate_manifest::{Source, read_documents};
use serde::Deserialize;

mod corpus;

/// What `upstream/yaml` prints for a text.
#[derive(Debug, Deserialize)]
struct Answer {
    bodies: Vec<String>,
    #[serde(default)]
    error: String,
    #[serde(default)]
    ambiguous: bool,
}

#[test]
fn reads_as_kubectl_does() {
    let Some(reader) = build() else {
        // Not eprintln, which the test runner keeps to itself.
        let note = "LEFT OUT: the comparison with kubectl: upstream/yaml does not build here";
        writeln!(io::stderr(), "{note} (it takes Go and its modules)").unwrap();
        return;
    };
    let count = env::var("PODGATE_DIFFERENTIAL")
        .ok()
        .and_then(|n| n.parse().ok());
    let texts = corpus::texts(count.unwrap_or(4000));
    let answers = ask(&reader, &texts);
    assert_eq!(answers.len(), texts.len());
    let mut different = Vec::new();
    let mut refused = 0;
    for (text, answer) in texts.iter().zip(&answers) {
        if answer.ambiguous {
            continue;
        }
        refused += usize::from(!answer.error.is_empty());
        let (bodies, error) = read(text);
        let same_error = same_message(&error, &answer.error);
        if bodies != answer.bodies || !same_error {
            different.push(format!(
                "{text:?}\n  here:    {bodies:?} {error:?}\n  kubectl: {:?} {:?}",
                answer.bodies, answer.error
            ));
        }
    }
    eprintln!(
        "{} texts read as kubectl reads them, {refused} of them refused",
        texts.len()
    );
    assert!(
        different.is_empty(),
        "{} texts are read differently, the first of them:\n{}",
        different.len(),
        different
            .iter()
            .take(20)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
}

/// The bodies up to the first error, and its message.
fn read(text: &str) -> (Vec<String>, String) {
    let mut bodies = Vec::new();
    for document in read_documents(&Source::new("f.yaml", text)) {
        match document {
            Ok(document) => bodies.push(document.body().into_owned()),
            Err(error) => return (bodies, error.message().to_owned()),
        }
    }
    (bodies, String::new())
}

/// Whether two errors are the same but for the layers around them and for what Go prints of values.
fn same_message(here: &str, kubectl: &str) -> bool {
    let kubectl = kubectl
        .strip_prefix("error converting YAML to JSON: ")
        .unwrap_or(kubectl);
    let kubectl = kubectl.strip_prefix("yaml: ").unwrap_or(kubectl);
    let kubectl = match kubectl
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((line, message)) if line.parse::<usize>().is_ok() => message,
        _ => kubectl,
    };
    let kubectl = match kubectl
        .strip_prefix("json: offset ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((_, message)) => message,
        None => kubectl,
    };
    let is_prefix = |prefix: &str| here.starts_with(prefix) && kubectl.starts_with(prefix);
    here == kubectl
        // What stands behind it depends on the order of a Go map.
        || is_prefix("invalid map key: ")
        || is_prefix("unsupported map key of type: ")
        || is_prefix("json: cannot unmarshal ")
}

/// Builds the Go module; `None` if that cannot be done here.
fn build() -> Option<std::path::PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../upstream/yaml");
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kubectl-yaml");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&binary)
        .arg(".")
        .current_dir(module)
        .stdin(Stdio::null())
        .output();
    match built {
        Ok(output) if output.status.success() => Some(binary),
        Ok(output) => {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(_) => None,
    }
}

fn ask(reader: &Path, texts: &[String]) -> Vec<Answer> {
    let mut input = Vec::new();
    for text in texts {
        writeln!(input, "{}", text.len()).unwrap();
        input.extend_from_slice(text.as_bytes());
    }
    let mut child = Command::new(reader)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "upstream/yaml failed");
    let lines = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}
