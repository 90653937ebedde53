package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHeadAnswersWhereGetDoes(t *testing.T) {
	h := newHouse(t)
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	for path, want := range map[string]int{
		"/livez": 200, "/docs": 200, "/docs/": 200, "/openapi.json": 200, "/v1/things": 200, "/nothing": 404, "/v1/hello": 405,
	} {
		headers := map[string]http.Header{}
		for _, method := range []string{"GET", "HEAD"} {
			req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer good")
			res, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s %s: %d, want %d", method, path, res.StatusCode, want)
			}
			headers[method] = res.Header
		}
		for _, name := range []string{"Content-Type", "Cache-Control", "ETag", "Content-Security-Policy"} {
			if get, head := headers["GET"].Get(name), headers["HEAD"].Get(name); get != head {
				t.Errorf("%s: %s is %q for GET and %q for HEAD", path, name, get, head)
			}
		}
	}
}

func TestAllowNamesHeadBesideGet(t *testing.T) {
	h := newHouse(t)
	for path, want := range map[string]string{"/v1/things": "OPTIONS, GET, POST, HEAD", "/v1/hello": "OPTIONS, POST"} {
		for _, method := range []string{"OPTIONS", "DELETE"} {
			if got := h.call(method, path, "").Header().Get("Allow"); got != want {
				t.Errorf("%s %s: Allow is %q, want %q", method, path, got, want)
			}
		}
	}
}
