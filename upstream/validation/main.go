// Command validation says what Kubernetes' own registry strategies say to objects: the messages of
// the answers 422 without a server. The tests of podgate's validation
// (admission/tests/validation.rs) hold its answers for some thousand objects.
//
// Each line of the input is a JSON object with "object", which is created, and perhaps "new", which
// then replaces it (through the subresource "sub", where that is given). Each line of the output is
// the message as a JSON string, or null. For another minor change the versions in go.mod: that of
// k8s.io/kubernetes, and those of its staging repositories.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/capabilities"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/podtemplate"
	"k8s.io/kubernetes/pkg/registry/core/replicationcontroller"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
)

type strategy interface {
	rest.RESTCreateStrategy
	rest.RESTUpdateStrategy
}

var strategies = map[string]strategy{
	"CronJob":               cronjob.Strategy,
	"DaemonSet":             daemonset.Strategy,
	"Deployment":            deployment.Strategy,
	"Job":                   job.Strategy,
	"Namespace":             namespace.Strategy,
	"Pod":                   pod.Strategy,
	"PodTemplate":           podtemplate.Strategy,
	"ReplicaSet":            replicaset.Strategy,
	"ReplicationController": replicationcontroller.Strategy,
	"ServiceAccount":        serviceaccount.Strategy,
	"StatefulSet":           statefulset.Strategy,
}

type line struct {
	Object json.RawMessage `json:"object"`
	New    json.RawMessage `json:"new"`
	Sub    string          `json:"sub"`
}

func main() {
	capabilities.Initialize(capabilities.Capabilities{AllowPrivileged: true})
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<26)
	output := json.NewEncoder(os.Stdout)
	output.SetEscapeHTML(false)
	for input.Scan() {
		var l line
		if err := json.Unmarshal(input.Bytes(), &l); err != nil {
			panic(err)
		}
		var message any
		if err := answer(l); err != nil {
			message = err.Error()
		}
		if err := output.Encode(message); err != nil {
			panic(err)
		}
	}
}

// answer creates the object of a line, and updates it. A panic, which a server turns into an answer
// 500, is an error.
func answer(l line) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("PANIC %v", r)
		}
	}()
	object, kind, err := decode(l.Object)
	if err != nil {
		return err
	}
	s := strategies[kind.Kind]
	// Declarative validation looks up its rules by the version of the request.
	info := &request.RequestInfo{APIGroup: kind.Group, APIVersion: kind.Version}
	ctx := request.WithRequestInfo(context.Background(), info)
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	if s.NamespaceScoped() {
		ctx = request.WithNamespace(ctx, "n")
		accessor.SetNamespace("n")
	}
	rest.FillObjectMetaSystemFields(accessor)
	if err := rest.BeforeCreate(s, ctx, object); err != nil || l.New == nil {
		return err
	}
	accessor.SetResourceVersion("1")
	changed, _, err := decode(l.New)
	if err != nil {
		return err
	}
	new, err := meta.Accessor(changed)
	if err != nil {
		return err
	}
	new.SetResourceVersion("1")
	new.SetNamespace(accessor.GetNamespace())
	new.SetUID(accessor.GetUID())
	new.SetCreationTimestamp(accessor.GetCreationTimestamp())
	var update rest.RESTUpdateStrategy = s
	if l.Sub == "ephemeralcontainers" {
		update = pod.EphemeralContainersStrategy
	}
	return rest.BeforeUpdate(update, ctx, changed, object)
}

func decode(raw []byte) (runtime.Object, *schema.GroupVersionKind, error) {
	object, kind, err := legacyscheme.Codecs.UniversalDecoder().Decode(raw, nil, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("DECODE %w", err)
	}
	return object, kind, nil
}
