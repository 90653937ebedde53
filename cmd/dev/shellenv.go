package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// printShellEnv prints how to reach the running stack as lines that a shell can
// evaluate: eval "$(.bin/dev env)".
func printShellEnv(s settings, out io.Writer) error {
	text, err := os.ReadFile(s.in("dev.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("nothing is running on this data directory: start it with `make run`")
	}
	if err != nil {
		return err
	}
	var known summary
	if err := json.Unmarshal(text, &known); err != nil {
		return fmt.Errorf("dev.json: %w", err)
	}
	lines := [][2]string{{"API", known.API}, {"MAIL", known.Mail}, {"METRICS", known.Metrics}}
	logins := map[string]login{"OPERATOR": known.Operator}
	for name, l := range known.Tenants {
		logins[strings.ToUpper(name)] = l
	}
	for _, name := range []string{"OPERATOR", "ACME", "GLOBEX"} {
		lines = append(lines, [2]string{name + "_EMAIL", logins[name].Email}, [2]string{name + "_PASSWORD", logins[name].Password})
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(out, "export %s='%s'\n", l[0], strings.ReplaceAll(l[1], "'", `'\''`)); err != nil {
			return err
		}
	}
	return nil
}
