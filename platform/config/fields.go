package config

import (
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/insulahq/insula/platform/secret"
)

// field is one setting of a Config: its declaration and the place of its value.
type field struct {
	group string
	decl  reflect.StructField
	value reflect.Value
}

// fields lists the settings of c in the order of their declaration.
func fields(c *Config) []field {
	var all []field
	root := reflect.ValueOf(c).Elem()
	for i := range root.NumField() {
		group := root.Field(i)
		for j := range group.NumField() {
			all = append(all, field{root.Type().Field(i).Name, group.Type().Field(j), group.Field(j)})
		}
	}
	return all
}

func (f field) tag(name string) string { return f.decl.Tag.Get(name) }

func (f field) variable() string {
	name, _, _ := strings.Cut(f.tag("env"), ",")
	return name
}

func (f field) required() bool { return strings.Contains(f.tag("env"), ",required") }

func (f field) secret() bool {
	switch f.value.Interface().(type) {
	case secret.Value, secret.Key:
		return true
	}
	return false
}

// kind names the type of the field for people, and says in error messages what a value must look like.
func (f field) kind() (name, expected string) {
	switch f.value.Interface().(type) {
	case secret.Key:
		return "key", secret.ErrKey.Error()
	case secret.Value, string:
		return "text", "must be text"
	case time.Duration:
		return "duration", "must be a duration such as 30s, 10m or 24h"
	case bool:
		return "boolean", "must be true or false"
	case int, int64:
		return "number", "must be a whole number"
	case slog.Level:
		return "level", "must be debug, info, warn or error"
	case Networks:
		return "networks", errNetworks.Error()
	case List:
		return "list", "must be words separated by commas"
	case Placements:
		return "placements, secret", errPlacements.Error()
	}
	panic("config: field " + f.decl.Name + " has a type without a name") // found by any test that calls Load
}
