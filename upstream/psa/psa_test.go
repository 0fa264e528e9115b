package psa

import (
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/featuregate"
	"k8s.io/pod-security-admission/test"
)

// TestPodSecurity runs the suite against the server that KUBECONFIG names. FEATURES_OFF names the
// feature gates that are off there, with commas between: the suite skips what they hide from a server.
func TestPodSecurity(t *testing.T) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatalf("KUBECONFIG has to name the kubeconfig of a server: %v", err)
	}
	// Clients of Kubernetes' own types prefer protobuf, which podgate does not read.
	config.ContentType = runtime.ContentTypeJSON
	// The client would hold its thousands of requests back to five a second.
	config.QPS = -1
	off := features{}
	for _, name := range strings.Split(os.Getenv("FEATURES_OFF"), ",") {
		off[featuregate.Feature(name)] = true
	}
	test.Run(t, test.Options{ClientConfig: config, Features: gate{off: off}})
}

type features map[featuregate.Feature]bool

// gate knows which features are off; all others are on. The suite asks for nothing else, and what else
// the interface has differs between the minors.
type gate struct {
	featuregate.FeatureGate
	off features
}

func (g gate) Enabled(feature featuregate.Feature) bool {
	return !g.off[feature]
}
