//! `/version`
//!
//! Upstream: `k8s.io/apimachinery/pkg/version`.

use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

/// The first minor that says which older one it behaves as, and may be replaced by.
const FIRST_WITH_EMULATION: u8 = 33;

/// Which Kubernetes this behaves as. The patch is not known, so it is said to be 0; the build
/// metadata tells the server from a real one.
pub(crate) fn document(minor: Minor) -> Value<'static> {
    let number = minor.number();
    let mut texts = vec![("major", "1".to_owned()), ("minor", number.to_string())];
    if number >= FIRST_WITH_EMULATION {
        texts.extend([
            ("emulationMajor", "1".to_owned()),
            ("emulationMinor", number.to_string()),
            ("minCompatibilityMajor", "1".to_owned()),
            ("minCompatibilityMinor", (number - 1).to_string()),
        ]);
    }
    texts.extend([
        ("gitVersion", format!("v1.{number}.0+podgate")),
        ("gitCommit", String::new()),
        ("gitTreeState", String::new()),
        ("buildDate", "1970-01-01T00:00:00Z".to_owned()),
        ("goVersion", String::new()),
        ("compiler", String::new()),
        ("platform", "linux/amd64".to_owned()),
    ]);
    Value::from(Object::from_iter(texts))
}
