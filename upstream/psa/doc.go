// Package psa runs the test suite that Kubernetes has for Pod Security admission, as it is published in
// k8s.io/pod-security-admission/test, against a server that runs already. The suite is a test itself, so
// it is run with `go test`; `cargo xtask upstream` does that for each minor.
package psa
