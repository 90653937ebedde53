package main

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"path"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// file is a file of the tree, as it is to be.
type file struct {
	path string // from the root of the tree, with slashes
	text []byte
}

// layout says which template makes which file; the paths are templates too.
var layout = [][2]string{
	{"contract.go", "modules/«.Name»/«.Name».go"},
	{"domain_noun.go", "modules/«.Name»/domain/«.Noun».go"},
	{"domain_test.go", "modules/«.Name»/domain/«.Noun»_test.go"},
	{"domain_text.go", "modules/«.Name»/domain/text.go"},
	{"domain_errors.go", "modules/«.Name»/domain/errors.go"},
	{"domain_repository.go", "modules/«.Name»/domain/repository.go"},
	{"service_operations.go", "modules/«.Name»/service/operations.go"},
	{"service_create.go", "modules/«.Name»/service/create.go"},
	{"service_read.go", "modules/«.Name»/service/read.go"},
	{"service_update.go", "modules/«.Name»/service/update.go"},
	{"service_delete.go", "modules/«.Name»/service/delete.go"},
	{"service_test.go", "modules/«.Name»/service/«.Name»_test.go"},
	{"api.go", "modules/«.Name»/api/api.go"},
	{"api_read.go", "modules/«.Name»/api/read.go"},
	{"api_change.go", "modules/«.Name»/api/change.go"},
	{"infra.go", "modules/«.Name»/infra/repository.go"},
	{"infra_test.go", "modules/«.Name»/infra/repository_test.go"},
	{"sets.go", "modules/«.Name»/«.Name»module/sets.go"},
	{"schema.sql", "schema/tenant/«.Name».sql"},
	{"queries.sql", "sql/queries/«.Name»/«.Name».sql"},
	{"house_test.go", "wire_gen/«.Name»_test.go"},
	{"e2e_test.go", "e2e/«.Name»_test.go"},
}

// files are the new files of the module.
func (m module) files() ([]file, error) {
	var all []file
	for _, entry := range layout {
		text, err := m.render(entry[0])
		if err != nil {
			return nil, err
		}
		where, err := m.fill(entry[1], entry[1])
		if err != nil {
			return nil, err
		}
		all = append(all, file{path: string(where), text: text})
	}
	return all, nil
}

// render fills a template; Go source comes out formatted.
func (m module) render(name string) ([]byte, error) {
	text, err := templates.ReadFile(path.Join("templates", name+".tmpl"))
	if err != nil {
		return nil, err
	}
	filled, err := m.fill(name, string(text))
	if err != nil || !strings.HasSuffix(name, ".go") || name == injector {
		return filled, err
	}
	formatted, err := format.Source(filled)
	if err != nil {
		return nil, fmt.Errorf("template %s does not make Go: %w", name, err)
	}
	return formatted, nil
}

// fill replaces what stands between « and ». The usual braces would be in the
// way of those of Go.
func (m module) fill(name, text string) ([]byte, error) {
	t, err := template.New(name).Delims("«", "»").Parse(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, m)
	return out.Bytes(), err
}
