package s3test

import (
	"bytes"
	"net/http"
	"testing"
)

// Follow sends a body by a link as a client would that was given it, and
// returns the status of the answer. Its length is what the HTTP client sends by
// itself.
func Follow(t testing.TB, method, url string, header map[string]string, body []byte) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		if name != "Content-Length" {
			r.Header.Set(name, value)
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}
