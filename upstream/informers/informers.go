package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	coreinformers "k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// history is what an informer was told of each object.
type history struct {
	mu sync.Mutex
	// The newest version of each object that was seen, by uid.
	newest map[types.UID]uint64
	// The objects that are there, by uid.
	there map[types.UID]string
	// The versions that were seen, by uid.
	seen     map[types.UID]map[uint64]bool
	events   int
	problems []string
}

func newHistory() *history {
	return &history{newest: map[types.UID]uint64{}, there: map[types.UID]string{}, seen: map[types.UID]map[uint64]bool{}}
}

func (h *history) problem(format string, args ...any) {
	if len(h.problems) < 20 {
		h.problems = append(h.problems, fmt.Sprintf(format, args...))
	}
}

func version(object metav1.Object) uint64 {
	number, _ := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	return number
}

func (h *history) saw(kind string, object metav1.Object) {
	uid, number := object.GetUID(), version(object)
	h.events++
	// A list after a watch that expired tells of what has not changed too.
	if number < h.newest[uid] {
		h.problem("%s of %s: version %d after %d", kind, object.GetName(), number, h.newest[uid])
	}
	h.newest[uid] = number
	if h.seen[uid] == nil {
		h.seen[uid] = map[uint64]bool{}
	}
	h.seen[uid][number] = true
}

func (h *history) OnAdd(o any, _ bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	object := o.(metav1.Object)
	if _, ok := h.there[object.GetUID()]; ok {
		h.problem("add of %s, which is there", object.GetName())
	}
	h.there[object.GetUID()] = object.GetName()
	h.saw("add", object)
}

func (h *history) OnUpdate(_, o any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	object := o.(metav1.Object)
	if _, ok := h.there[object.GetUID()]; !ok {
		h.problem("update of %s, which is not there", object.GetName())
	}
	h.saw("update", object)
}

func (h *history) OnDelete(o any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	// After a watch that was cut off, the last state may not be known.
	if unknown, ok := o.(cache.DeletedFinalStateUnknown); ok {
		object := unknown.Obj.(metav1.Object)
		delete(h.there, object.GetUID())
		return
	}
	object := o.(metav1.Object)
	if _, ok := h.there[object.GetUID()]; !ok {
		h.problem("delete of %s, which is not there", object.GetName())
	}
	delete(h.there, object.GetUID())
	h.saw("delete", object)
}

// written is what the server answered to the writers: each version of each object.
type written struct {
	mu       sync.Mutex
	versions map[types.UID]map[uint64]bool
}

func (w *written) add(object metav1.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.versions[object.GetUID()] == nil {
		w.versions[object.GetUID()] = map[uint64]bool{}
	}
	w.versions[object.GetUID()][version(object)] = true
}

// counting counts the watches that are told that they expired, of which informers say nothing.
type counting struct {
	next    http.RoundTripper
	expired *atomic.Int64
}

func (c *counting) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request)
	if err == nil && request.URL.Query().Has("watch") {
		response.Body = &countingBody{ReadCloser: response.Body, expired: c.expired}
	}
	return response, err
}

type countingBody struct {
	io.ReadCloser
	expired *atomic.Int64
	// The end of what was read, in which the beginning of the words may stand.
	rest []byte
}

func (b *countingBody) Read(to []byte) (int, error) {
	// The reason of a Status as protobuf: the number of the field, the length, the text.
	words := []byte("\x22\x07Expired")
	read, err := b.ReadCloser.Read(to)
	b.rest = append(b.rest, to[:read]...)
	if count := bytes.Count(b.rest, words); count > 0 {
		b.expired.Add(int64(count))
		b.rest = nil
	}
	b.rest = b.rest[max(0, len(b.rest)-len(words)+1):]
	return read, err
}

// informers lets `clients` writers make `count` changes of pods and deployments, and compares what
// informers were told with what the server answered and with what it lists in the end.
func informers(config *rest.Config, namespace string, count, clients int, expire bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	// The informers have connections of their own, which can be cut off.
	var cut atomic.Bool
	var connections sync.Map
	theirs := rest.CopyConfig(config)
	theirs.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if cut.Load() {
			// Who is refused asks again from where it was; any other error makes it list again.
			return nil, syscall.ECONNREFUSED
		}
		connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			connections.Store(connection, true)
		}
		return connection, err
	}
	var expired atomic.Int64
	theirs.Wrap(func(next http.RoundTripper) http.RoundTripper { return &counting{next, &expired} })
	watcher, err := kubernetes.NewForConfig(theirs)
	if err != nil {
		return err
	}
	factory := coreinformers.NewSharedInformerFactoryWithOptions(watcher, 0, coreinformers.WithNamespace(namespace))
	histories := map[string]*history{"pods": newHistory(), "deployments": newHistory()}
	shared := map[string]cache.SharedIndexInformer{
		"pods":        factory.Core().V1().Pods().Informer(),
		"deployments": factory.Apps().V1().Deployments().Informer(),
	}
	for name, informer := range shared {
		if _, err := informer.AddEventHandler(histories[name]); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	answers := &written{versions: map[types.UID]map[uint64]bool{}}
	var changes atomic.Int64
	var group sync.WaitGroup
	failures := make(chan error, clients)
	begin := time.Now()
	for writer := range clients {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := write(ctx, client, namespace, writer, &changes, int64(count), answers); err != nil {
				failures <- err
			}
		}()
	}
	if expire {
		// In the middle of it all, the watches end and cannot begin again.
		for changes.Load() < int64(count)/4 && ctx.Err() == nil && len(failures) == 0 {
			time.Sleep(time.Millisecond)
		}
		cut.Store(true)
		connections.Range(func(connection, _ any) bool {
			_ = connection.(net.Conn).Close()
			return true
		})
		for changes.Load() < int64(count)*3/4 && ctx.Err() == nil && len(failures) == 0 {
			time.Sleep(time.Millisecond)
		}
		cut.Store(false)
	}
	group.Wait()
	select {
	case err := <-failures:
		return err
	default:
	}
	took := time.Since(begin)

	lists := map[string]func() (runtime.Object, error){
		"pods": func() (runtime.Object, error) {
			return client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		},
		"deployments": func() (runtime.Object, error) {
			return client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		},
	}
	wrong := 0
	for name, history := range histories {
		problems, err := settle(ctx, shared[name], lists[name])
		if err != nil {
			return err
		}
		history.mu.Lock()
		problems = append(problems, history.problems...)
		missed := 0
		for uid, versions := range answers.versions {
			for number := range versions {
				if seen, ok := history.seen[uid]; ok && !seen[number] {
					missed++
				}
			}
		}
		// A watch that was cut off for so long has missed something.
		if missed > 0 && !expire {
			problems = append(problems, fmt.Sprintf("%d versions that were written were not told", missed))
		}
		fmt.Printf("%s: %d events, %d objects told of, %d versions not told\n", name, history.events, len(history.newest), missed)
		history.mu.Unlock()
		for _, problem := range problems {
			fmt.Printf("%s: WRONG: %s\n", name, problem)
		}
		wrong += len(problems)
	}
	fmt.Printf("%d changes by %d writers in %.1f s, %d watches expired\n", changes.Load(), clients, took.Seconds(), expired.Load())
	if wrong > 0 {
		return fmt.Errorf("the history is not consistent")
	}
	if expire && expired.Load() == 0 {
		return fmt.Errorf("no watch expired")
	}
	return nil
}

// settle waits until a cache is what the server lists, and says how it differs if it never is.
func settle(ctx context.Context, informer cache.SharedIndexInformer, list func() (runtime.Object, error)) ([]string, error) {
	var problems []string
	for range 300 {
		listed, err := list()
		if err != nil {
			return nil, err
		}
		there := map[string]string{}
		items, err := meta.ExtractList(listed)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			object := item.(metav1.Object)
			there[object.GetName()] = object.GetResourceVersion()
		}
		problems = nil
		cached := informer.GetStore().List()
		for _, item := range cached {
			object := item.(metav1.Object)
			if there[object.GetName()] != object.GetResourceVersion() {
				problems = append(problems, fmt.Sprintf("%s is cached at %s and listed at %q", object.GetName(), object.GetResourceVersion(), there[object.GetName()]))
			}
		}
		if len(cached) != len(there) {
			problems = append(problems, fmt.Sprintf("%d objects are cached and %d listed", len(cached), len(there)))
		}
		if len(problems) == 0 || ctx.Err() != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if len(problems) > 10 {
		problems = problems[:10]
	}
	return problems, nil
}

// write makes changes until there are enough of them: pods and deployments come, change and go.
func write(ctx context.Context, client kubernetes.Interface, namespace string, writer int, changes *atomic.Int64, count int64, answers *written) error {
	pods, deployments := client.CoreV1().Pods(namespace), client.AppsV1().Deployments(namespace)
	count--
	for round := 0; ; round++ {
		name := fmt.Sprintf("w%d-%d", writer, round)
		labels := map[string]string{"app": name}
		spec := corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx"}}}
		pod, err := pods.Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Spec: spec}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		answers.add(pod)
		if changes.Add(1) > count {
			return nil
		}
		for change := range 6 {
			patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"change":"%d"}}}`, change)
			pod, err = pods.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
			if err != nil {
				return err
			}
			answers.add(pod)
			if changes.Add(1) > count {
				return nil
			}
		}
		if round%10 == 0 {
			replicas := int32(0)
			deployment, err := deployments.Create(ctx, &appsv1.Deployment{
				ObjectMeta: metav1.ObjectMeta{Name: name},
				Spec: appsv1.DeploymentSpec{
					Replicas: &replicas,
					Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name + "-d"}},
					Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name + "-d"}}, Spec: spec},
				},
			}, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			answers.add(deployment)
			if changes.Add(1) > count {
				return nil
			}
			deployment, err = deployments.Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"annotations":{"change":"1"}}}`), metav1.PatchOptions{})
			if err != nil {
				return err
			}
			answers.add(deployment)
			if changes.Add(1) > count {
				return nil
			}
			if round%20 == 0 {
				if err := deployments.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
					return err
				}
				if changes.Add(1) > count {
					return nil
				}
			}
		}
		if round%3 != 0 {
			if err := pods.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
				return err
			}
			if changes.Add(1) > count {
				return nil
			}
		}
	}
}
