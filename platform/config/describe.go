package config

import (
	"fmt"
	"io"
	"strings"

	"github.com/insulahq/insula/platform/secret"
)

// Variable describes one setting.
type Variable struct {
	Name     string // of the environment variable
	Group    string // the subject, a field of Config
	Type     string
	Required bool
	Default  string
	Allowed  string // range or words, in words; empty when anything of the type goes
	Doc      string
	Secret   bool
}

// Describe lists all settings in the order of their declaration.
func Describe() []Variable {
	var all []Variable
	for _, f := range fields(&Config{}) {
		kind, _ := f.kind()
		all = append(all, Variable{
			Name: f.variable(), Group: f.group, Type: kind, Required: f.required(),
			Default: f.tag("envDefault"), Allowed: allowed(f), Doc: f.tag("doc"), Secret: f.secret(),
		})
	}
	return all
}

func allowed(f field) string {
	if r := f.tag("range"); r != "" {
		return rangeText(r)
	}
	return strings.ReplaceAll(f.tag("oneof"), ",", ", ")
}

// Markdown writes the reference page of all settings.
func Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Configuration\n\n" +
		"Insula reads its settings from environment variables, once, at the start. A setting that is missing, malformed or\n" +
		"misspelt stops the start with one line that names it. `insula config` prints the settings in force, secrets masked.\n")
	group := ""
	for _, v := range Describe() {
		if v.Group != group {
			group = v.Group
			fmt.Fprintf(&b, "\n## %s\n\n| variable | type | default | meaning |\n|---|---|---|---|\n", group)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", v.Name, v.typeText(), v.defaultText(), cell(v.meaning()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (v Variable) typeText() string {
	if v.Secret {
		return v.Type + ", secret"
	}
	return v.Type
}

func (v Variable) defaultText() string {
	switch {
	case v.Required:
		return "**required**"
	case v.Default == "":
		return "empty"
	}
	return "`" + v.Default + "`"
}

func (v Variable) meaning() string {
	if v.Allowed == "" {
		return v.Doc
	}
	return v.Doc + " Allowed: " + v.Allowed + "."
}

// cell keeps text from ending a table cell or a line, or from being read as HTML.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", ">", "&gt;").Replace(s)
}

// Print writes the settings in force as NAME=value lines; a secret shows whether it is set, nothing more.
func (c Config) Print(w io.Writer) error {
	var b strings.Builder
	for _, f := range fields(&c) {
		value := plain(f)
		if f.secret() && value != "" {
			value = secret.Redacted
		}
		fmt.Fprintf(&b, "%s=%s\n", f.variable(), value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
