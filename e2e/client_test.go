package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// web is the one HTTP client of the tests.
var web = &http.Client{
	Timeout: time.Minute,
	Transport: &http.Transport{
		MaxIdleConns: 200, MaxIdleConnsPerHost: 200, IdleConnTimeout: time.Minute,
		ExpectContinueTimeout: time.Minute, // who asks whether to go on waits for the answer
	},
}

// client speaks to the API as somebody.
type client struct {
	api    string
	tenant string // X-Tenant, unless empty
	host   string // Host, unless empty
	token  string // Bearer, unless empty
}

// request is one request. Body is JSON unless a header says otherwise.
type request struct {
	method, path, body string
	header             map[string]string
}

// answer is a response that has been read to its end.
type answer struct {
	what   string
	status int
	header http.Header
	body   []byte
}

// try sends a request; the error is about the connection.
func (c client) try(ctx context.Context, r request) (answer, error) {
	a := answer{what: r.method + " " + r.path}
	req, err := http.NewRequestWithContext(ctx, r.method, c.api+r.path, strings.NewReader(r.body))
	if err != nil {
		return a, err
	}
	if r.body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.tenant != "" {
		req.Header.Set("X-Tenant", c.tenant)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	if c.host != "" {
		req.Host = c.host
	}
	resp, err := web.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, err = io.ReadAll(resp.Body)
	return a, err
}

// send is try for requests that must be answered.
func (c client) send(t *testing.T, r request) answer {
	t.Helper()
	a, err := c.try(t.Context(), r)
	if err != nil {
		t.Fatalf("%s: %v", a.what, err)
	}
	return a
}

// do sends a JSON body, or none; headers are "Name: value".
func (c client) do(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	return c.send(t, request{method: method, path: path, body: body, header: pairs(headers)})
}

func pairs(headers []string) map[string]string {
	out := map[string]string{}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		out[name] = value
	}
	return out
}

// want fails the test unless the answer has one of the statuses.
func (a answer) want(t *testing.T, statuses ...int) answer {
	t.Helper()
	for _, s := range statuses {
		if a.status == s {
			return a
		}
	}
	t.Fatalf("%s answers %d, want %v: %s", a.what, a.status, statuses, a.body)
	return a
}

// problem is an error document.
type problem struct {
	Type, Title, Detail, Instance, Code string
	Status                              int
	Errors                              []struct{ Pointer, Detail string }
}

// refused fails the test unless the answer is a whole problem document with
// this status and code; an empty code stands for any.
func (a answer) refused(t *testing.T, status int, code string) problem {
	t.Helper()
	a.want(t, status)
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("%s answers %q: %v", a.what, a.body, err)
	}
	if a.header.Get("Content-Type") != "application/problem+json" || p.Status != status || p.Detail == "" ||
		p.Type != "urn:insula:error:"+p.Code || p.Title != http.StatusText(status) || p.Instance != a.id() {
		t.Errorf("%s answers %q: no complete problem document", a.what, a.body)
	}
	if code != "" && p.Code != code {
		t.Errorf("%s is refused as %s, want %s", a.what, p.Code, code)
	}
	return p
}

// id is that of the request.
func (a answer) id() string { return a.header.Get("X-Request-Id") }

// read decodes the body.
func read[T any](t *testing.T, a answer) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(a.body, &out); err != nil {
		t.Fatalf("%s answers %q: %v", a.what, a.body, err)
	}
	return out
}

// text is one string of a JSON object.
func (a answer) text(t *testing.T, field string) string {
	t.Helper()
	s, ok := read[map[string]any](t, a)[field].(string)
	if !ok {
		t.Fatalf("%s answers %s: no text %s", a.what, a.body, field)
	}
	return s
}

// list is a page of items.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

// all reads every page of a list.
func all[T any](t *testing.T, c client, path string) []T {
	t.Helper()
	var out []T
	for cursor := ""; ; {
		page := read[list[T]](t, c.do(t, "GET", withQuery(path, "cursor", cursor), "").want(t, http.StatusOK))
		out = append(out, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			return out
		}
	}
}

// withQuery adds a query parameter unless it is empty.
func withQuery(path, name, value string) string {
	if value == "" {
		return path
	}
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	return path + mark + name + "=" + url.QueryEscape(value)
}

// object renders a JSON object of pairs: "email", "a@b.example", …
func object(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings, numbers and lists always marshal
	}
	return string(text)
}
