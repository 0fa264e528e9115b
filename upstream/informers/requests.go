package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

const (
	rounds = 3
	length = time.Second
)

// asked is a request that is sent over and over.
type asked struct {
	name, method, path, body string
}

// requests sends three kinds of requests as fast as they are answered, on one connection and on
// `connections`, and prints how many there were in a second, the best of several rounds, and how many
// that is of those for the version on one connection.
func requests(config *rest.Config, namespace string, connections int) error {
	pods := "/api/v1/namespaces/" + namespace + "/pods"
	pod := `{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"asked-"},` +
		`"spec":{"containers":[{"name":"app","image":"registry.example.com/app:1"}]}}`
	kinds := []asked{
		{"GET /version", http.MethodGet, "/version", ""},
		{"create a pod in dry run", http.MethodPost, pods + "?dryRun=All", pod},
		{"create a pod", http.MethodPost, pods, pod},
	}
	var first float64
	for _, of := range []int{1, connections} {
		for _, kind := range kinds {
			best := 0.0
			for range rounds {
				rate, err := kind.rate(config, of)
				if err != nil {
					return fmt.Errorf("%s: %w", kind.name, err)
				}
				best = max(best, rate)
			}
			if first == 0 {
				first = best
			}
			fmt.Printf("%-26s %d connections %8.0f requests a second %6.2f x GET /version on one\n", kind.name, of, best, best/first)
		}
	}
	return nil
}

// rate is how many are answered in a second.
func (a asked) rate(config *rest.Config, connections int) (float64, error) {
	var answered atomic.Int64
	var group sync.WaitGroup
	failures := make(chan error, connections)
	start := make(chan struct{})
	for range connections {
		// With a dialer of its own a client shares its connection with nobody.
		own := rest.CopyConfig(config)
		own.Dial = (&net.Dialer{}).DialContext
		client, err := rest.HTTPClientFor(own)
		if err != nil {
			return 0, err
		}
		defer client.CloseIdleConnections()
		// The first one connects.
		if err := a.send(client, config.Host); err != nil {
			return 0, err
		}
		group.Add(1)
		go func() {
			defer group.Done()
			<-start
			for begin := time.Now(); time.Since(begin) < length; answered.Add(1) {
				if err := a.send(client, config.Host); err != nil {
					failures <- err
					return
				}
			}
		}()
	}
	begin := time.Now()
	close(start)
	group.Wait()
	took := time.Since(begin)
	close(failures)
	return float64(answered.Load()) / took.Seconds(), <-failures
}

func (a asked) send(client *http.Client, host string) error {
	request, err := http.NewRequest(a.method, host+a.path, strings.NewReader(a.body))
	if err != nil {
		return err
	}
	if a.body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s", response.Status)
	}
	return nil
}
