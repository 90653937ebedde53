package redisx_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/secret"
)

// libraryOutput holds what the Redis library logged during all tests.
var libraryOutput lockedBuffer

func TestMain(m *testing.M) {
	redisx.LogTo(slog.New(slog.NewJSONHandler(&libraryOutput, nil)))
	os.Exit(m.Run())
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestTheLibraryLogsThroughOurLogger(t *testing.T) {
	client, err := redisx.Open(secret.New("redis://:hunter2@127.0.0.1:1"), clock.System{}) // nobody listens on port 1
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Ready(context.Background()); err == nil {
		t.Fatal("something answers on port 1")
	}
	out := libraryOutput.String()
	if !strings.Contains(out, `"msg":"redis client"`) || !strings.Contains(out, "127.0.0.1:1:") || strings.Contains(out, "hunter2") {
		t.Errorf("log = %s", out)
	}
}
