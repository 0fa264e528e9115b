// Informers is a client of a Kubernetes API as controllers are one: informers of client-go on pods and
// deployments while several writers change them, many clients that create pods one by one, one that says
// everything as JSON and as protobuf, and clients that ask for as much as the server can answer. `cargo
// xtask informers`, `cargo xtask load`, `cargo xtask protobuf` and `cargo xtask bench` run it against
// podgate serve; it knows nothing of podgate, and runs against any other server in the same way.
package main

import (
	"flag"
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the kubeconfig of the server")
	namespace := flag.String("namespace", "default", "the namespace to write in")
	count := flag.Int("count", 10000, "how many changes, or pods")
	clients := flag.Int("clients", 6, "how many write at a time")
	expire := flag.Bool("expire", false, "informers: cut the watches off until the server has forgotten where they were")
	pods := flag.String("pods", "", "load: a file with pods as JSON, one a line")
	verdicts := flag.String("verdicts", "", "load: a file with what is expected of each, as podgate check --output jsonl prints it")
	watches := flag.Int("watches", 0, "load: how many watches look on")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err == nil {
		config.QPS, config.Burst = -1, 0
		err = run(config, *namespace, *count, *clients, *expire, *pods, *verdicts, *watches)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(config *rest.Config, namespace string, count, clients int, expire bool, pods, verdicts string, watches int) error {
	switch flag.Arg(0) {
	case "informers":
		return informers(config, namespace, count, clients, expire)
	case "protobuf":
		return protobuf(config, namespace, flag.Args()[1:])
	case "requests":
		return requests(config, namespace, clients)
	case "load":
		return load(config, namespace, count, clients, pods, verdicts, watches)
	default:
		return fmt.Errorf("no such command: %q", flag.Arg(0))
	}
}
