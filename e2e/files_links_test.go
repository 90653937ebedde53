package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// fileLink is a link to the object store.
type fileLink struct {
	Method, URL string
	Headers     map[string]string
}

// sending says how a declared file is sent.
type sending struct {
	ID     string
	Status string
	Upload struct {
		Method    string
		Link      *fileLink
		PartSize  int64 `json:"part_size"`
		PartCount int32 `json:"part_count"`
		Parts     []struct {
			Number int32
			Size   int64
			Link   fileLink
		}
		Arrived []struct{ Number int32 }
	}
}

// declare declares a file.
func declare(t *testing.T, c client, fields ...any) sending {
	t.Helper()
	return read[sending](t, c.do(t, "POST", "/v1/files", object(fields...)).want(t, http.StatusCreated))
}

// follow sends a body by a link, or asks for one, and returns what the store
// answers.
func (l fileLink) follow(t *testing.T, body io.Reader, length int64) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), l.Method, l.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range l.Headers {
		req.Header.Set(name, value)
	}
	req.ContentLength = length
	resp, err := web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content := must(io.ReadAll(resp.Body))(t)
	return answer{what: l.Method + " by a link", status: resp.StatusCode, header: resp.Header, body: content}
}

func (l fileLink) send(t *testing.T, content string) answer {
	t.Helper()
	return l.follow(t, strings.NewReader(content), int64(len(content)))
}

// TestLinksOpenOneObject changes everything about links that can be changed:
// the store refuses, and nothing of another tenant is touched or read.
func TestLinksOpenOneObject(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t, "INSULA_FILES_REDIRECT=true")
	l := s.found(t, v)
	ours, theirs := l.newTenant(t, "links-a"), l.newTenant(t, "links-b")
	content, evil := "what is theirs", "what is ours!!"
	theirFile := declare(t, theirs.owner, "name", "a.txt", "size", len(content), "content_type", "text/plain")
	theirFile.Upload.Link.send(t, content).want(t, http.StatusOK)
	their := theirFile.Upload.Link.URL
	theirs.owner.do(t, "POST", "/v1/files/"+theirFile.ID+"/complete", "").want(t, http.StatusOK)
	mine := declare(t, ours.owner, "name", "a.txt", "size", len(evil), "content_type", "text/plain")

	for name, change := range map[string]func(*fileLink){
		"the key of another tenant":  func(l *fileLink) { l.URL = withPath(t, l.URL, must(url.Parse(their))(t).Path) },
		"another tenant, own object": func(l *fileLink) { l.URL = strings.Replace(l.URL, ours.id, theirs.id, 1) },
		"evidence of the trail": func(l *fileLink) {
			l.URL = withPath(t, l.URL, "/"+s.parts["S3_BUCKET"]+"/"+theirs.id+"/audit/heads/0000000000000000001")
		},
		"the bucket itself":            func(l *fileLink) { l.URL = withPath(t, l.URL, "/"+s.parts["S3_BUCKET"]) },
		"another method":               func(l *fileLink) { l.Method = http.MethodDelete },
		"another type":                 func(l *fileLink) { l.Headers["Content-Type"] = "text/html" },
		"a longer life":                func(l *fileLink) { l.URL = strings.Replace(l.URL, "X-Amz-Expires=", "X-Amz-Expires=9", 1) },
		"leave to replace what exists": func(l *fileLink) { delete(l.Headers, "If-None-Match") },
	} {
		link := *mine.Upload.Link
		link.Headers = map[string]string{}
		for header, value := range mine.Upload.Link.Headers {
			link.Headers[header] = value
		}
		change(&link)
		if a := link.send(t, evil); a.status != http.StatusForbidden && a.status != http.StatusBadRequest {
			t.Errorf("a link with %s is answered with %d %s", name, a.status, a.body)
		}
	}
	for _, body := range []string{evil + "!", evil[1:]} {
		if a := mine.Upload.Link.send(t, body); a.status != http.StatusForbidden {
			t.Errorf("%d bytes instead of %d: %d", len(body), len(evil), a.status)
		}
	}
	mine.Upload.Link.send(t, evil).want(t, http.StatusOK)
	mine.Upload.Link.send(t, evil).want(t, http.StatusPreconditionFailed) // once

	ours.owner.do(t, "POST", "/v1/files/"+mine.ID+"/complete", "").want(t, http.StatusOK)
	download := fileLink{Method: http.MethodGet, URL: redirected(t, ours.owner, mine.ID)}
	if a := download.send(t, "").want(t, http.StatusOK); string(a.body) != evil || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the link reads %q, %v", a.body, a.header)
	}
	download.URL = withPath(t, download.URL, must(url.Parse(their))(t).Path)
	if a := download.send(t, ""); a.status != http.StatusForbidden || bytes.Contains(a.body, []byte(content)) {
		t.Errorf("a link to read with the key of another tenant: %d %s", a.status, a.body)
	}
	intact := fileLink{Method: http.MethodGet, URL: redirected(t, theirs.owner, theirFile.ID)}
	if a := intact.send(t, "").want(t, http.StatusOK); string(a.body) != content {
		t.Errorf("their file reads %q", a.body)
	}
}

func withPath(t *testing.T, address, path string) string {
	t.Helper()
	u := must(url.Parse(address))(t)
	u.Path = path
	return u.String()
}

// redirected is where a download leads.
func redirected(t *testing.T, c client, id string) string {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, c.api+"/v1/files/"+id+"/content", http.NoBody))(t)
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp := must(web.Transport.RoundTrip(req))(t)
	resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		t.Fatalf("a download is answered with %d", resp.StatusCode)
	}
	return resp.Header.Get("Location")
}
