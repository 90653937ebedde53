package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/secret"
)

const content = "correct-horse"

// holder has the secret where reflection finds it without being allowed to call methods.
type holder struct {
	Shown  secret.Value
	hidden secret.Value
	Ptr    *secret.Value
	Key    secret.Key
	key    secret.Key
}

func TestNothingPrintsASecret(t *testing.T) {
	key, err := secret.NewKey(strings.NewReader(content + strings.Repeat("!", secret.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	v := secret.New(content)
	h := holder{Shown: v, hidden: v, Ptr: &v, Key: key, key: key}
	leaks := []string{content, fmt.Sprintf("%x", content), fmt.Sprintf("%X", content), fmt.Sprintf("%d", []byte(content))[1:20], key.Encode().Reveal()}

	var outputs []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%10s", "%-4v"} {
		for _, arg := range []any{v, &v, h, &h, []secret.Value{v}, map[string]secret.Key{"k": key}, key, &key} {
			outputs = append(outputs, fmt.Sprintf(verb, arg))
		}
	}
	outputs = append(outputs, fmt.Sprint(v, key), fmt.Sprintln(h), errors.New(v.String()).Error(), fmt.Errorf("x: %v", v).Error())
	for _, arg := range []any{v, &v, h, key, map[string]any{"a": v}} {
		if b, err := json.Marshal(arg); err == nil {
			outputs = append(outputs, string(b))
		} else {
			t.Errorf("json: %v", err)
		}
	}
	if b, err := xml.Marshal(v); err == nil {
		outputs = append(outputs, string(b))
	}
	var log bytes.Buffer
	for _, l := range []*slog.Logger{slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil))} {
		l.Info("m", "v", v, "ptr", &v, "holder", h, "key", key, slog.Group("g", "v", v))
	}
	outputs = append(outputs, log.String())

	for _, out := range outputs {
		for _, leak := range leaks {
			if strings.Contains(out, leak) {
				t.Errorf("output reveals the secret: %s", out)
			}
		}
	}
	if got := fmt.Sprintf("%v %s %#v %q", v, key, v, key); got != strings.TrimSpace(strings.Repeat(secret.Redacted+" ", 4)) {
		t.Errorf("got %q", got)
	}
	if b, _ := json.Marshal(v); string(b) != `"[redacted]"` {
		t.Errorf("json: %s", b)
	}
}

func TestValueKeepsItsContent(t *testing.T) {
	var v secret.Value
	if !v.IsZero() || v.Reveal() != "" || !v.Equal(secret.New("")) {
		t.Error("the zero value is not the empty secret")
	}
	if err := json.Unmarshal([]byte(`"`+content+`"`), &v); err != nil {
		t.Fatal(err)
	}
	if v.Reveal() != content || v.IsZero() {
		t.Errorf("got %q", v.Reveal())
	}
	if !v.Equal(secret.New(content)) || v.Equal(secret.New("other")) || v.Equal(secret.Value{}) {
		t.Error("Equal is wrong")
	}
}
