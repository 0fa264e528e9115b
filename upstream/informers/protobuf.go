package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// sent is one way to say the same: the media types of the request and of the answer.
type sent struct{ body, answer string }

var ways = []sent{
	{runtime.ContentTypeJSON, runtime.ContentTypeJSON},
	{runtime.ContentTypeProtobuf, runtime.ContentTypeJSON},
	{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf},
	{runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf},
}

// answered is what came back, without what no two answers have in common.
type answered struct {
	code     int
	warnings []string
	body     map[string]any
}

// protobuf sends every object of the files in dry run, as JSON and as protobuf, asks for the answer as JSON and
// as protobuf, and demands that all four answers say the same.
func protobuf(config *rest.Config, namespace string, paths []string) error {
	config = rest.CopyConfig(config)
	// The warnings are compared, and not printed.
	config.WarningHandler = rest.NoWarnings{}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	found, err := discovery.NewDiscoveryClientForConfigAndClient(config, client)
	if err != nil {
		return err
	}
	groups, err := restmapper.GetAPIGroupResources(found)
	if err != nil {
		return err
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	count, different := 0, 0
	codes := map[int]int{}
	each := func(document []byte) error {
		object, kind, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		if err != nil {
			// What is wrong on purpose is no object of any type.
			return nil
		}
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return nil
		}
		url := config.Host + urlOf(mapping, namespace, object) + "?dryRun=All&fieldManager=protobuf"
		var first answered
		for number, way := range ways {
			answer, err := send(client, url, object, kind.GroupVersion(), way)
			if err != nil {
				return err
			}
			if number == 0 {
				first = answer
				codes[answer.code]++
			} else if !reflect.DeepEqual(first, answer) {
				different++
				if different <= 10 {
					fmt.Printf("%v\n  %s\n  JSON  %v\n  else  %v\n", way, document, first, answer)
				}
			}
		}
		count++
		return nil
	}
	for _, path := range paths {
		if err := walk(path, each); err != nil {
			return err
		}
	}
	fmt.Printf("%d objects sent in four ways, answers by code: %v\n", count, codes)
	if different > 0 || count == 0 {
		return fmt.Errorf("%d answers differ", different)
	}
	return nil
}

func urlOf(mapping *meta.RESTMapping, namespace string, object runtime.Object) string {
	resource := mapping.Resource
	path := "/apis/" + resource.Group + "/" + resource.Version
	if resource.Group == "" {
		path = "/api/" + resource.Version
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		path += "/namespaces/" + namespace
		if accessor, err := meta.Accessor(object); err == nil {
			accessor.SetNamespace(namespace)
		}
	}
	return path + "/" + resource.Resource
}

func send(client *http.Client, url string, object runtime.Object, version schema.GroupVersion, way sent) (answered, error) {
	info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), way.body)
	if !ok {
		return answered{}, fmt.Errorf("no serializer for %s", way.body)
	}
	body, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, version), object)
	if err != nil {
		return answered{}, err
	}
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answered{}, err
	}
	request.Header.Set("Content-Type", way.body)
	request.Header.Set("Accept", way.answer)
	response, err := client.Do(request)
	if err != nil {
		return answered{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answered{}, err
	}
	if found := response.Header.Get("Content-Type"); found != way.answer {
		return answered{}, fmt.Errorf("the answer to %s is %s, not %s: %s", url, found, way.answer, content)
	}
	decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(content, nil, nil)
	if err != nil {
		return answered{}, fmt.Errorf("%s: %w", url, err)
	}
	text, err := json.Marshal(decoded)
	if err != nil {
		return answered{}, err
	}
	answer := answered{code: response.StatusCode, warnings: response.Header.Values("Warning")}
	if err := json.Unmarshal(text, &answer.body); err != nil {
		return answered{}, err
	}
	if metadata, ok := answer.body["metadata"].(map[string]any); ok {
		for _, key := range []string{"uid", "creationTimestamp", "managedFields", "name"} {
			// A name that was made up is another each time.
			if key != "name" || metadata["generateName"] != nil {
				delete(metadata, key)
			}
		}
	}
	redact(answer.body)
	return answer, nil
}

// redact takes out what is drawn for each object: the volume of a token, the labels of a job.
func redact(value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			text, isText := inner.(string)
			if isText && strings.HasPrefix(text, "kube-api-access-") {
				value[key] = "kube-api-access-xxxxx"
			}
			if strings.HasSuffix(key, "controller-uid") {
				value[key] = "<uid>"
			}
			redact(inner)
		}
	case []any:
		for _, inner := range value {
			redact(inner)
		}
	}
}

// walk reads the documents of a file, or of all files below a folder: YAML, JSON one object a line, or what was
// recorded of requests.
func walk(root string, each func([]byte) error) error {
	return filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		switch {
		case strings.HasSuffix(path, ".yaml"):
			documents := yaml.NewYAMLOrJSONDecoder(file, 4096)
			for {
				var document json.RawMessage
				if err := documents.Decode(&document); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					// Some are broken on purpose.
					return nil
				}
				if err := each(document); err != nil {
					return err
				}
			}
		case strings.HasSuffix(path, ".jsonl"):
			return lines(file, each)
		case strings.HasSuffix(path, ".ndjson.gz"):
			unzipped, err := gzip.NewReader(file)
			if err != nil {
				return err
			}
			return lines(unzipped, func(line []byte) error {
				var recorded struct{ Request json.RawMessage }
				if err := json.Unmarshal(line, &recorded); err != nil || recorded.Request == nil {
					return err
				}
				return each(recorded.Request)
			})
		default:
			return nil
		}
	})
}

func lines(reader io.Reader, each func([]byte) error) error {
	scanner := bufio.NewScanner(reader)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		if err := each(scanner.Bytes()); err != nil {
			return err
		}
	}
	return scanner.Err()
}
