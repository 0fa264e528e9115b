// Schema prints the Go types of the API kinds named as arguments (core/v1/Pod) as JSON.
//
// It reflects over the k8s.io/api that its module requires. `cargo xtask codegen` runs it once for
// each minor of Kubernetes and merges what it prints into admission/src/schema/tables.rs.
// A kind that this k8s.io/api does not have is left out; a Go type that the tables cannot express is
// an error, never a guess.
package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	batchv1 "k8s.io/api/batch/v1"
	batchv1beta1 "k8s.io/api/batch/v1beta1"
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	nodev1beta1 "k8s.io/api/node/v1beta1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Output is what the program prints.
type Output struct {
	// Roots maps a kind, as it was asked for, to the ID of its struct.
	Roots map[string]string `json:"roots"`
	// Structs holds every struct that a root reaches, by ID.
	Structs []Struct `json:"structs"`
}

// Struct is a Go struct with its embedded structs unfolded.
type Struct struct {
	// ID is the import path and the name: k8s.io/api/core/v1.PodSpec.
	ID string `json:"id"`
	// Go is the type as Go prints it: v1.PodSpec.
	Go      string  `json:"go"`
	Markers Markers `json:"markers"`
	Fields  []Field `json:"fields"`
}

// Field is a field of a Struct, as encoding/json sees it.
type Field struct {
	Name string `json:"name"`
	// Go is the name of the Go field.
	Go      string `json:"go"`
	Type    Type   `json:"type"`
	Pointer bool   `json:"pointer"`
	// OmitEmpty says that a zero value is really left out: Go ignores omitempty on structs.
	OmitEmpty bool `json:"omitEmpty"`
	// Numbers leads to the field in protobuf: the numbers of the embedded structs that it lies in, which are
	// messages of their own there, and its own. Nothing where protobuf does not have it.
	Numbers       []int    `json:"numbers"`
	PatchStrategy []string `json:"patchStrategy"`
	PatchMergeKey string   `json:"patchMergeKey"`
	Markers       Markers  `json:"markers"`
}

// Type is the type of a field, an item or a map's value.
type Type struct {
	// Kind is the name of a variant of the tables' Type.
	Kind string `json:"kind"`
	// Go is the type as Go prints it: []v1.Container.
	Go string `json:"go"`
	// Struct is the ID of a struct.
	Struct string `json:"struct,omitempty"`
	// Elem is the type of a list's items or a map's values.
	Elem *Type `json:"elem,omitempty"`
}

// special are the types that read and write their JSON themselves.
var special = map[reflect.Type]string{
	reflect.TypeOf(intstr.IntOrString{}):   "IntOrString",
	reflect.TypeOf(resource.Quantity{}):    "Quantity",
	reflect.TypeOf(metav1.Time{}):          "Time",
	reflect.TypeOf(metav1.MicroTime{}):     "MicroTime",
	reflect.TypeOf(metav1.FieldsV1{}):      "Raw",
	reflect.TypeOf(runtime.RawExtension{}): "Raw",
}

var (
	unmarshaler     = reflect.TypeOf((*json.Unmarshaler)(nil)).Elem()
	textUnmarshaler = reflect.TypeOf((*encoding.TextUnmarshaler)(nil)).Elem()
)

type reader struct {
	structs map[string]Struct
	// packages holds the markers in each package that was asked for, by type or by Type.Field.
	packages map[string]map[string]Markers
}

func (r *reader) typeOf(t reflect.Type) Type {
	if kind, ok := special[t]; ok {
		return Type{Kind: kind, Go: t.String()}
	}
	if p := reflect.PointerTo(t); p.Implements(unmarshaler) || p.Implements(textUnmarshaler) {
		fail("%s reads its JSON itself", t)
	}
	switch t.Kind() {
	case reflect.Bool:
		return Type{Kind: "Bool", Go: t.String()}
	case reflect.Int32:
		return Type{Kind: "Int32", Go: t.String()}
	case reflect.Int64:
		return Type{Kind: "Int64", Go: t.String()}
	case reflect.Float64:
		return Type{Kind: "Float64", Go: t.String()}
	case reflect.String:
		return Type{Kind: "String", Go: t.String()}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return Type{Kind: "Bytes", Go: t.String()}
		}
		elem := r.typeOf(t.Elem())
		return Type{Kind: "List", Go: t.String(), Elem: &elem}
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			fail("%s has keys that are no strings", t)
		}
		elem := r.typeOf(t.Elem())
		return Type{Kind: "Map", Go: t.String(), Elem: &elem}
	case reflect.Struct:
		return Type{Kind: "Struct", Go: t.String(), Struct: r.structOf(t)}
	default:
		fail("%s is of a kind that the tables do not have", t)
		panic("unreachable")
	}
}

func (r *reader) structOf(t reflect.Type) string {
	id := t.PkgPath() + "." + t.Name()
	if _, ok := r.structs[id]; ok {
		return id
	}
	// Some structs contain themselves: the entry stands before the fields are read.
	r.structs[id] = Struct{}
	fields := r.fieldsOf(t)
	markers, ok := r.markersIn(t.PkgPath())[t.Name()]
	if !ok {
		fail("%s is not in the types.go of its package", id)
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.Name] {
			fail("%s has two fields called %s", id, f.Name)
		}
		seen[f.Name] = true
	}
	r.structs[id] = Struct{ID: id, Go: t.String(), Markers: markers, Fields: fields}
	return id
}

func (r *reader) fieldsOf(t reflect.Type) []Field {
	fields := []Field{}
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
			continue
		case f.Anonymous && name == "":
			outer := numberOf(t, f)
			for _, field := range r.fieldsOf(f.Type) {
				if outer == 0 || len(field.Numbers) == 0 {
					field.Numbers = []int{}
				} else {
					field.Numbers = append([]int{outer}, field.Numbers...)
				}
				fields = append(fields, field)
			}
			continue
		case !f.IsExported() || name == "":
			fail("%s.%s has no JSON name", t, f.Name)
		}
		ft, pointer := f.Type, false
		if ft.Kind() == reflect.Pointer {
			ft, pointer = ft.Elem(), true
		}
		field := Field{
			Name:          name,
			Go:            f.Name,
			Type:          r.typeOf(ft),
			Pointer:       pointer,
			Numbers:       []int{},
			PatchMergeKey: f.Tag.Get("patchMergeKey"),
			Markers:       r.markersIn(t.PkgPath())[t.Name()+"."+f.Name],
		}
		for _, option := range strings.Split(options, ",") {
			switch option {
			case "omitempty":
				field.OmitEmpty = field.OmitEmpty || pointer || ft.Kind() != reflect.Struct
			case "omitzero":
				field.OmitEmpty = true
			case "", "protobuf":
			default:
				fail("%s.%s has the option %q", t, f.Name, option)
			}
		}
		if number := numberOf(t, f); number != 0 {
			field.Numbers = []int{number}
		}
		if s := f.Tag.Get("patchStrategy"); s != "" {
			field.PatchStrategy = strings.Split(s, ",")
		}
		fields = append(fields, field)
	}
	return fields
}

// numberOf returns the number of a field in protobuf, 0 where it has none.
func numberOf(t reflect.Type, f reflect.StructField) int {
	tag := f.Tag.Get("protobuf")
	if tag == "" {
		return 0
	}
	// The wire type, the number, and whether there can be many.
	parts := strings.Split(tag, ",")
	if len(parts) < 3 {
		fail("%s.%s has the protobuf tag %q", t, f.Name, tag)
	}
	number, err := strconv.Atoi(parts[1])
	if err != nil || number <= 0 {
		fail("%s.%s has the protobuf tag %q", t, f.Name, tag)
	}
	return number
}

func main() {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme,
		authenticationv1.AddToScheme,
		authorizationv1.AddToScheme,
		autoscalingv1.AddToScheme,
		batchv1.AddToScheme,
		batchv1beta1.AddToScheme,
		corev1.AddToScheme,
		nodev1.AddToScheme,
		nodev1beta1.AddToScheme,
		policyv1beta1.AddToScheme,
		rbacv1.AddToScheme,
		schedulingv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			fail("%v", err)
		}
	}
	known := scheme.AllKnownTypes()
	r := &reader{structs: map[string]Struct{}, packages: map[string]map[string]Markers{}}
	out := Output{Roots: map[string]string{}}
	for _, arg := range os.Args[1:] {
		parts := strings.Split(arg, "/")
		if len(parts) != 3 {
			fail("%q is not group/version/kind", arg)
		}
		gvk := schema.GroupVersionKind{Group: parts[0], Version: parts[1], Kind: parts[2]}
		if gvk.Group == "core" {
			gvk.Group = ""
		}
		if t, ok := known[gvk]; ok {
			out.Roots[arg] = r.structOf(t)
		}
	}
	for _, s := range r.structs {
		out.Structs = append(out.Structs, s)
	}
	sort.Slice(out.Structs, func(i, j int) bool { return out.Structs[i].ID < out.Structs[j].ID })
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(out); err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "schema: "+format+"\n", args...)
	os.Exit(1)
}
