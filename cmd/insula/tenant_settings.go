package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/modules/settings"
	settingsservice "github.com/insulahq/insula/modules/settings/service"
	"github.com/insulahq/insula/platform/tenancy"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func tenantSettingsCommand() *cobra.Command {
	var set map[string]string
	var unset []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "settings SLUG",
		Short: "Show the settings of a tenant, or change some of them.",
		Long: "Show the settings of a tenant, or change some of them. A change holds at the next request on every node and\n" +
			"is recorded in the tenant's trail and in the operator's. `insula settings` prints what there is.",
		Example: "  insula tenant settings acme\n" +
			"  insula tenant settings acme --set files.quota_bytes=5368709120 --set audit.legal_hold=true\n" +
			"  insula tenant settings acme --unset users.session_idle",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withSettings(cmd.Context(), args[0], func(s *settingsservice.Settings, t tenancy.Tenant) error {
				d, err := readOrChange(cmd.Context(), s, t, changeOf(set, unset))
				if err != nil {
					return err
				}
				return printSettings(cmd.OutOrStdout(), d, asJSON)
			})
		},
	}
	cmd.Flags().StringToStringVar(&set, "set", nil, "name=value; a value that is not JSON is taken for a text")
	cmd.Flags().StringSliceVar(&unset, "unset", nil, "name of a setting to take back to the default")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func withSettings(ctx context.Context, slug string, fn func(*settingsservice.Settings, tenancy.Tenant) error) error {
	return withProcess(ctx, func(p *wiregen.Process) error {
		t, err := p.Directory.BySlug(ctx, slug)
		if err != nil {
			return err
		}
		s, err := wiregen.OperatorSettings(ctx, p)
		if err != nil {
			return err
		}
		return fn(s, t)
	})
}

func readOrChange(ctx context.Context, s *settingsservice.Settings, t tenancy.Tenant, c settings.Change) (settings.Document, error) {
	if len(c) == 0 {
		return s.GetOf(ctx, t.ID)
	}
	return s.UpdateOf(ctx, t.ID, settings.AnyVersion, c)
}

// changeOf reads the flags. Whoever writes true, 7 or ["image/*"] means that;
// 36h and redirect are texts.
func changeOf(set map[string]string, unset []string) settings.Change {
	c := settings.Change{}
	for name, value := range set {
		c[name] = json.RawMessage(value)
		if !json.Valid(c[name]) {
			c[name], _ = json.Marshal(value) // a text always can be
		}
	}
	for _, name := range unset {
		c[name] = json.RawMessage("null")
	}
	return c
}

// settingLine is a line of `tenant settings --json`.
type settingLine struct {
	Name    string `json:"name"`
	Value   any    `json:"value"`
	Default any    `json:"default"`
	Set     bool   `json:"set"`
	Problem string `json:"problem,omitempty"`
}

func linesOf(d settings.Document) []settingLine {
	var lines []settingLine
	for _, e := range d.Settings {
		lines = append(lines, settingLine{Name: e.Name, Value: e.Value, Default: e.Default, Set: e.ChangedAt != nil})
	}
	for _, u := range d.Unknown {
		lines = append(lines, settingLine{Name: u.Name, Value: u.Value, Set: true, Problem: "no effect: " + u.Reason})
	}
	return lines
}

func printSettings(out io.Writer, d settings.Document, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		for _, line := range linesOf(d) {
			if err := encoder.Encode(line); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tVALUE\tDEFAULT\t")
	for _, line := range linesOf(d) {
		mark := line.Problem
		if line.Set && mark == "" {
			mark = "set"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", line.Name, plain(line.Value), plain(line.Default), mark)
	}
	return w.Flush()
}

// plain is a value as people write it.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []string:
		return strings.Join(v, ",")
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprint(v)
}
