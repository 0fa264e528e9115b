package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// verdict is what is expected of a pod, or what came back.
type verdict struct {
	Object   string   `json:"object"`
	Code     int      `json:"code"`
	Message  *string  `json:"message"`
	Warnings []string `json:"warnings"`
}

func (v verdict) String() string {
	text, _ := json.Marshal(v)
	return string(text)
}

// variant is one of the pods that are created over and over, under another name each time.
type variant struct {
	name   string
	object map[string]any
}

func read[T any](path string, each func(T)) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var value T
		if err := json.Unmarshal(lines.Bytes(), &value); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		each(value)
	}
	return lines.Err()
}

// load creates `count` pods one by one from `clients` clients while `watches` look on, and compares each
// answer with the expected one, and what the server lists in the end with what it said it stored.
func load(config *rest.Config, namespace string, count, clients int, pods, verdicts string, watches int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	var variants []variant
	err := read(pods, func(object map[string]any) {
		name := object["metadata"].(map[string]any)["name"].(string)
		variants = append(variants, variant{name, object})
	})
	if err != nil {
		return err
	}
	expected := map[string]verdict{}
	if verdicts != "" {
		err := read(verdicts, func(v verdict) {
			expected[v.Object[strings.LastIndex(v.Object, "/")+1:]] = v
		})
		if err != nil {
			return err
		}
	}
	var told atomic.Int64
	for range watches {
		events, err := watch(ctx, config, namespace)
		if err != nil {
			return err
		}
		defer events.Close()
		go countLines(events, &told)
	}

	var next, stored, refused, wrong atomic.Int64
	var group sync.WaitGroup
	failures := make(chan error, clients)
	begin := time.Now()
	for range clients {
		group.Add(1)
		go func() {
			defer group.Done()
			client, err := own(config)
			for err == nil {
				number := int(next.Add(1)) - 1
				if number >= count {
					return
				}
				variant := variants[number%len(variants)]
				var found verdict
				found, err = create(ctx, client.Do, config, namespace, variant, fmt.Sprintf("%s-%d", variant.name, number))
				if err != nil {
					break
				}
				if found.Code == 201 {
					stored.Add(1)
				} else {
					refused.Add(1)
				}
				want, known := expected[variant.name]
				want.Object = ""
				if known && want.String() != found.String() && wrong.Add(1) <= 5 {
					fmt.Printf("WRONG: %s\n  expected %s\n  found    %s\n", variant.name, want, found)
				}
			}
			failures <- err
		}()
	}
	group.Wait()
	took := time.Since(begin)
	close(failures)
	for err := range failures {
		if err != nil {
			return err
		}
	}

	// A client of its own lists them in pages.
	lister, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	there := int64(0)
	options := metav1.ListOptions{Limit: 500}
	for {
		list, err := lister.CoreV1().Pods(namespace).List(ctx, options)
		if err != nil {
			return err
		}
		there += int64(len(list.Items))
		if list.Continue == "" {
			break
		}
		options.Continue = list.Continue
	}
	for deadline := time.Now().Add(time.Minute); told.Load() < stored.Load()*int64(watches) && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Printf("%d pods by %d clients in %.1f s: %.0f a second; %d stored, %d refused, %d wrong; %d listed; %d watches told %d events\n",
		count, clients, took.Seconds(), float64(count)/took.Seconds(), stored.Load(), refused.Load(), wrong.Load(), there, watches, told.Load())
	switch {
	case wrong.Load() > 0:
		return fmt.Errorf("answers are not as expected")
	case there != stored.Load():
		return fmt.Errorf("pods are lost")
	case told.Load() != stored.Load()*int64(watches):
		return fmt.Errorf("events are lost")
	}
	return nil
}

// own is an HTTP client with connections of its own: others would be shared by all clients of a process.
func own(config *rest.Config) (*http.Client, error) {
	config = rest.CopyConfig(config)
	config.Dial = (&net.Dialer{}).DialContext
	return rest.HTTPClientFor(config)
}

// watch watches pods on a connection of its own. What it is told is not decoded: that would take longer
// than all that the server does.
func watch(ctx context.Context, config *rest.Config, namespace string) (io.ReadCloser, error) {
	client, err := own(config)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.Host+"/api/v1/namespaces/"+namespace+"/pods?watch=true", nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("a watch is refused: %s", response.Status)
	}
	return response.Body, nil
}

// countLines counts the events of a watch, each a line, until it is over.
func countLines(events io.Reader, told *atomic.Int64) {
	buffer := make([]byte, 64<<10)
	for {
		read, err := events.Read(buffer)
		told.Add(int64(bytes.Count(buffer[:read], []byte("\n"))))
		if err != nil {
			return
		}
	}
}

// create posts a pod under a name, and returns the answer with the name of its variant instead.
func create(ctx context.Context, do func(*http.Request) (*http.Response, error), config *rest.Config, namespace string, variant variant, name string) (verdict, error) {
	object := map[string]any{}
	for key, value := range variant.object {
		object[key] = value
	}
	metadata := map[string]any{}
	for key, value := range variant.object["metadata"].(map[string]any) {
		metadata[key] = value
	}
	metadata["name"] = name
	object["metadata"] = metadata
	body, err := json.Marshal(object)
	if err != nil {
		return verdict{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, config.Host+"/api/v1/namespaces/"+namespace+"/pods", bytes.NewReader(body))
	if err != nil {
		return verdict{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := do(request)
	if err != nil {
		return verdict{}, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return verdict{}, err
	}
	found := verdict{Code: response.StatusCode, Warnings: []string{}}
	for _, header := range response.Header.Values("Warning") {
		text := strings.TrimSuffix(strings.TrimPrefix(header, `299 - "`), `"`)
		text = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(text)
		found.Warnings = append(found.Warnings, strings.ReplaceAll(text, name, variant.name))
	}
	if found.Code >= 300 {
		var status metav1.Status
		if err := json.Unmarshal(answer, &status); err != nil {
			return verdict{}, fmt.Errorf("%d %s", response.StatusCode, answer)
		}
		message := strings.ReplaceAll(status.Message, name, variant.name)
		found.Message = &message
	}
	return found, nil
}
