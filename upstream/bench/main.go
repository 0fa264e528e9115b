// Judges pods in JSON Lines with k8s.io/pod-security-admission itself, one core, and prints a verdict line
// for each: what podgate audit -o jsonl is measured against by cargo xtask bench.
//
// It decodes as kube-apiserver does (sigs.k8s.io/json, case-sensitive), into the types of k8s.io/api, and
// evaluates every check of the level that it is given.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	kjson "sigs.k8s.io/json"
)

// verdict is a line of the output.
type verdict struct {
	Object   string `json:"object"`
	Admitted bool   `json:"admitted"`
	Message  string `json:"message,omitempty"`
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path, level string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	demanded, err := psa.ParseLevel(level)
	if err != nil {
		return err
	}
	at := psa.LevelVersion{Level: demanded, Version: psa.LatestVersion()}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 64<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var pod corev1.Pod
		if err := kjson.UnmarshalCaseSensitivePreserveInts(lines.Bytes(), &pod); err != nil {
			return err
		}
		results := evaluator.EvaluatePod(at, &pod.ObjectMeta, &pod.Spec)
		result := policy.AggregateCheckResults(results)
		line := verdict{Object: "Pod/" + pod.Namespace + "/" + pod.Name, Admitted: result.Allowed}
		if !result.Allowed {
			line.Message = fmt.Sprintf("pods %q is forbidden: violates PodSecurity %q: %s", pod.Name, at.String(), result.ForbiddenDetail())
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return out.Flush()
}
