package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/telemetry"
)

func lines(t *testing.T, out *bytes.Buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(out.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("not a JSON line: %q", line)
		}
		all = append(all, m)
	}
	return all
}

func TestHandlerKeepsTheContractOfSlog(t *testing.T) {
	var out bytes.Buffer
	h := telemetry.NewLogger(&out, config.Log{Format: "json"}).Handler()
	if err := slogtest.TestHandler(h, func() []map[string]any { return lines(t, &out) }); err != nil {
		t.Error(err)
	}
}

func TestLinesCarryTheAttributesOfTheirContext(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, config.Log{Format: "json"})
	ctx := telemetry.With(context.Background(), slog.String("request_id", "r1"), slog.String("tenant", "acme"))
	fork := telemetry.With(ctx, slog.String("operation", "users.create"), slog.String("tenant", "globex"))

	log.InfoContext(ctx, "plain")
	log.InfoContext(fork, "forked")
	log.With("a", 1).WithGroup("g").With("b", 2).InfoContext(fork, "grouped", "c", 3)
	log.Info("no context")

	got := lines(t, &out)
	want := []map[string]any{
		{"request_id": "r1", "tenant": "acme", "operation": nil},
		{"request_id": "r1", "tenant": "globex", "operation": "users.create"},
		{"request_id": "r1", "tenant": "globex", "operation": "users.create", "a": 1.0},
		{"request_id": nil, "tenant": nil},
	}
	for i, attrs := range want {
		for key, value := range attrs {
			if got[i][key] != value {
				t.Errorf("line %d: %s = %v, want %v", i, key, got[i][key], value)
			}
		}
	}
	group, _ := got[2]["g"].(map[string]any)
	if len(group) != 2 || group["b"] != 2.0 || group["c"] != 3.0 {
		t.Errorf("group = %v", got[2]["g"])
	}
	if strings.Count(out.String(), `"tenant"`) != 3 {
		t.Errorf("an attribute stands twice in a line:\n%s", out.String())
	}
}

func TestLevelAndTime(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, config.Log{Level: slog.LevelWarn, Format: "json"})
	log.Info("quiet")
	log.Warn("loud")
	got := lines(t, &out)
	if len(got) != 1 || got[0]["msg"] != "loud" || !strings.HasSuffix(got[0]["time"].(string), "Z") {
		t.Errorf("lines = %v", got)
	}
}

func TestNoInputForgesALine(t *testing.T) {
	attack := "x\ntime=2026-01-01 level=INFO msg=\"forged\"\r\n{\"msg\":\"forged\"}\u2028\x1b[31m\x00"
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			log := telemetry.NewLogger(&out, config.Log{Format: format})
			ctx := telemetry.With(context.Background(), slog.String("caller", attack), slog.String(attack, "key"))
			log.With("with", attack).InfoContext(ctx, attack, "value", attack, "err", errors.New(attack),
				"any", struct{ Text string }{attack}, slog.Group(attack, slog.String("in", attack)))
			text := strings.TrimSuffix(out.String(), "\n")
			if out.Len() == len(text) || strings.ContainsAny(text, "\n\r\x00\x1b\u2028") {
				t.Errorf("raw control characters in %q", text)
			}
		})
	}
}

func TestSecretsAreMasked(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		telemetry.NewLogger(&out, config.Log{Format: format}).Info("m", "pw", secret.New("hunter2"), "all", config.Mail{URL: secret.New("hunter2")})
		if strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), secret.Redacted) {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}
