// Reads YAML and JSON with the code of kubectl 1.32, for a comparison with podgate's own reader
// (manifest/tests/differential.rs).
//
// Standard input is a sequence of texts, each a line with its length in bytes and then the bytes.
// Standard output has one JSON line for each text.
package main

import (
	"bufio"
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	goyaml "sigs.k8s.io/yaml/goyaml.v2"
)

// answer is what kubectl makes of one text: the bodies of its documents up to the first error.
type answer struct {
	Bodies []string `json:"bodies"`
	Error  string   `json:"error,omitempty"`
	// Ambiguous says that the answer depends on the order of a Go map: two keys that differ in YAML
	// (1 and "1") have the same name in JSON.
	Ambiguous bool `json:"ambiguous,omitempty"`
}

// raw takes a document as it is, like runtime.RawExtension.
type raw struct{ bytes []byte }

func (r *raw) UnmarshalJSON(in []byte) error {
	if r == nil {
		return errors.New("UnmarshalJSON on nil pointer")
	}
	if !bytes.Equal(in, []byte("null")) {
		r.bytes = append([]byte(nil), in...)
	}
	return nil
}

// read does what StreamVisitor.Visit and UnstructuredJSONScheme do.
func read(text []byte) answer {
	result := answer{Bodies: []string{}}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var document raw
		if err := decoder.Decode(&document); err != nil {
			if err != io.EOF {
				result.Error = err.Error()
			}
			return result
		}
		trimmed := bytes.TrimSpace(document.bytes)
		if len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null")) {
			continue
		}
		object := map[string]interface{}{}
		if err := json.UnmarshalCaseSensitivePreserveInts(trimmed, &object); err != nil {
			result.Error = err.Error()
			return result
		}
		body, err := stdjson.Marshal(object)
		if err != nil {
			result.Error = err.Error()
			return result
		}
		result.Bodies = append(result.Bodies, string(body))
	}
}

// ambiguous says whether a mapping of a text has two keys with one name.
func ambiguous(text []byte) bool {
	if yaml.IsJSONBuffer(text) {
		return false
	}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if err != nil {
			return false
		}
		var value interface{}
		if goyaml.Unmarshal(document, &value) == nil && collides(value) {
			return true
		}
	}
}

func collides(value interface{}) bool {
	switch value := value.(type) {
	case map[interface{}]interface{}:
		names := map[string]bool{}
		for key, member := range value {
			name := fmt.Sprint(key)
			if float, ok := key.(float64); ok {
				name = strconv.FormatFloat(float, 'g', -1, 32)
			}
			if names[name] || collides(member) {
				return true
			}
			names[name] = true
		}
	case []interface{}:
		for _, item := range value {
			if collides(item) {
				return true
			}
		}
	}
	return false
}

func run(in *bufio.Reader, out *bufio.Writer) error {
	encoder := stdjson.NewEncoder(out)
	for {
		var length int
		if _, err := fmt.Fscanf(in, "%d\n", &length); err != nil {
			if errors.Is(err, io.EOF) {
				return out.Flush()
			}
			return err
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(in, text); err != nil {
			return err
		}
		result := read(text)
		result.Ambiguous = ambiguous(text)
		if err := encoder.Encode(result); err != nil {
			return err
		}
	}
}

func main() {
	if err := run(bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
