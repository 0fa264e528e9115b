package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
)

// Markers are the comments that say how server-side apply merges a field or a struct. Reflection
// does not see them, so the source is read.
type Markers struct {
	ListType    string   `json:"listType,omitempty"`
	ListMapKeys []string `json:"listMapKeys,omitempty"`
	MapType     string   `json:"mapType,omitempty"`
	StructType  string   `json:"structType,omitempty"`
}

// markersIn reads the types.go of a package. Each struct and each field of one has an entry.
func (r *reader) markersIn(pkg string) map[string]Markers {
	if found, ok := r.packages[pkg]; ok {
		return found
	}
	dir, err := exec.Command("go", "list", "-mod=mod", "-f", "{{.Dir}}", pkg).Output()
	if err != nil {
		fail("go list %s: %v", pkg, err)
	}
	path := filepath.Join(strings.TrimSpace(string(dir)), "types.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		fail("%v", err)
	}
	found := map[string]Markers{}
	for _, decl := range file.Decls {
		types, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range types.Specs {
			spec, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			doc := spec.Doc
			if doc == nil {
				doc = types.Doc
			}
			found[spec.Name.Name] = markers(doc)
			for _, field := range s.Fields.List {
				for _, name := range field.Names {
					found[spec.Name.Name+"."+name.Name] = markers(field.Doc)
				}
			}
		}
	}
	r.packages[pkg] = found
	return found
}

func markers(doc *ast.CommentGroup) Markers {
	var m Markers
	if doc == nil {
		return m
	}
	for _, comment := range doc.List {
		line := strings.TrimSpace(strings.TrimPrefix(comment.Text, "//"))
		key, value, _ := strings.Cut(line, "=")
		switch key {
		case "+listType":
			m.ListType = value
		case "+listMapKey":
			m.ListMapKeys = append(m.ListMapKeys, value)
		case "+mapType":
			m.MapType = value
		case "+structType":
			m.StructType = value
		}
	}
	return m
}
