package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// fileUsage is what GET /v1/usage tells.
type fileUsage struct {
	Bytes, Files int64
	BytesLeft    int64 `json:"bytes_left"`
}

// TestFiftyUploadsShareAQuota: whatever their order, exactly as many files find
// room as there is room for.
func TestFiftyUploadsShareAQuota(t *testing.T) {
	const many, fit, size = 50, 10, 100
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t, fmt.Sprintf("INSULA_FILES_QUOTA_BYTES=%d", fit*size+size/2))
	n := s.found(t, v).newTenant(t, "quota")
	answers := make(chan answer, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			body := object("name", fmt.Sprintf("%d.bin", i), "size", size)
			a, err := n.owner.try(t.Context(), request{method: "POST", path: "/v1/files", body: body})
			if err != nil {
				t.Error(err)
				return
			}
			answers <- a
		})
	}
	group.Wait()
	close(answers)
	var made []string
	for a := range answers {
		if a.status == http.StatusCreated {
			made = append(made, a.text(t, "id"))
			continue
		}
		if p := a.refused(t, http.StatusRequestEntityTooLarge, "files.quota_exceeded"); len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Detail, "bytes") {
			t.Errorf("refused without saying what is left: %s", a.body)
		}
	}
	usage := read[fileUsage](t, n.owner.do(t, "GET", "/v1/usage", "").want(t, http.StatusOK))
	if len(made) != fit || usage != (fileUsage{fit * size, fit, size / 2}) {
		t.Errorf("%d files were taken, usage %+v", len(made), usage)
	}
	for _, id := range made {
		n.owner.do(t, "POST", "/v1/files/"+id+"/abort", "").want(t, http.StatusNoContent)
	}
	if usage = read[fileUsage](t, n.owner.do(t, "GET", "/v1/usage", "")); usage.Files != 0 || usage.Bytes != 0 {
		t.Errorf("after all were given up: %+v", usage)
	}
}

// TestServerKilledDuringUploads kills the server at moments between the
// reservation and the ready file. Afterwards the sender goes on where it was,
// or gives up, and nothing counts twice or stays behind.
func TestServerKilledDuringUploads(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t)
	n := s.found(t, v).newTenant(t, "killed")
	content := strings.Repeat("0123456789abcdef", 64<<10) // 1 MiB
	ready := 0
	for moment, strike := range map[string]func(f sending){
		"it was declared": func(sending) { v.kill() },
		"half of it has come": func(f sending) {
			reader, writer := io.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, err := stream(t, n.owner, f.ID, reader, int64(len(content)))
				if err == nil {
					t.Error("half a content was answered")
				}
			}()
			must(io.WriteString(writer, content[:len(content)/2]))(t)
			v.kill()
			writer.CloseWithError(io.ErrUnexpectedEOF)
			<-done
		},
		"it is in the store": func(f sending) {
			f.Upload.Link.send(t, content).want(t, http.StatusOK)
			v.kill()
		},
	} {
		f := declare(t, n.owner, "name", moment, "size", len(content))
		strike(f)
		v = s.serve(t)
		n = n.at(v)
		n.finish(t, f, content)
		ready++
	}
	for round := range 6 {
		f := declare(t, n.owner, "name", fmt.Sprintf("completed %d", round), "size", len(content))
		f.Upload.Link.send(t, content).want(t, http.StatusOK)
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_, _ = n.owner.try(t.Context(), request{method: "POST", path: "/v1/files/" + f.ID + "/complete"})
		}()
		select { // each round a little later; what must hold holds at every moment
		case <-answered:
		case <-time.After(time.Duration(round*round) * time.Millisecond):
		}
		v.kill()
		<-answered
		v = s.serve(t)
		n = n.at(v)
		n.finish(t, f, content)
		ready++
	}
	abandoned := declare(t, n.owner, "name", "abandoned", "size", len(content))
	abandoned.Upload.Link.send(t, content).want(t, http.StatusOK)
	v.kill()
	n = n.at(s.serve(t))
	n.owner.do(t, "POST", "/v1/files/"+abandoned.ID+"/abort", "").want(t, http.StatusNoContent)
	usage := read[fileUsage](t, n.owner.do(t, "GET", "/v1/usage", "").want(t, http.StatusOK))
	if usage.Files != int64(ready) || usage.Bytes != int64(ready*len(content)) {
		t.Errorf("%d files take up %+v", ready, usage)
	}
	swept := map[string]any{}
	out := s.insula(t, "files", "sweep", "--tenant", n.slug, "--dry-run", "--json")
	if err := json.Unmarshal(out, &swept); err != nil || swept["tenant"] != n.slug || swept["dry_run"] != true || swept["lost"] != 0.0 || swept["error"] != nil {
		t.Errorf("the sweep tells %s, %v", out, err)
	}
}

// finish brings an upload to its end after the server has come back, as its
// sender would.
func (n tenant) finish(t *testing.T, f sending, content string) {
	t.Helper()
	path := "/v1/files/" + f.ID
	status := n.owner.do(t, "GET", path, "").want(t, http.StatusOK).text(t, "status")
	if status != "ready" {
		n.owner.do(t, "GET", path+"/content", "").refused(t, http.StatusConflict, "files.not_ready")
		if a := n.owner.do(t, "POST", path+"/complete", ""); a.status != http.StatusOK {
			a.refused(t, http.StatusConflict, "files.incomplete")
			bring(t, n.owner, f.ID, content).want(t, http.StatusOK)
		}
	}
	if got := n.owner.do(t, "GET", path+"/content", "").want(t, http.StatusOK); string(got.body) != content {
		t.Errorf("%d bytes came back of a file that was %s", len(got.body), status)
	}
}

// stream sends a body of a length to a declared file.
func stream(t *testing.T, c client, id string, body io.Reader, length int64) (status int, err error) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, c.api+"/v1/files/"+id+"/content", body)
	if err != nil {
		return 0, err
	}
	req.ContentLength = length
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := slow.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// slow is a client for transfers that take longer than any request may.
var slow = &http.Client{Transport: web.Transport}

// TestDeleteDuringADownload deletes a file for good while it is read: its
// reader gets the content or a connection that breaks, and never a body that
// only looks whole.
func TestDeleteDuringADownload(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "midway")
	content := strings.Repeat("0123456789abcdef", 2<<20) // 32 MiB: more than the buffers on the way
	id := upload(t, n.owner, "big.txt", content)
	path := "/v1/files/" + id
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, n.owner.api+path+"/content", http.NoBody))(t)
	req.Header.Set("Authorization", "Bearer "+n.owner.token)
	resp := must(web.Do(req))(t)
	defer resp.Body.Close()
	head := make([]byte, 1000)
	must(io.ReadFull(resp.Body, head))(t)
	for range 2 {
		n.owner.do(t, "DELETE", path, "", "If-Match: *").want(t, http.StatusNoContent)
	}
	rest, err := io.ReadAll(resp.Body)
	if err == nil && string(head)+string(rest) != content {
		t.Errorf("a reader was told of a whole content of %d bytes, and it is not the file's", len(head)+len(rest))
	}
	n.owner.do(t, "GET", path+"/content", "").refused(t, http.StatusNotFound, "files.not_found")
	if usage := read[fileUsage](t, n.owner.do(t, "GET", "/v1/usage", "")); usage.Files != 0 {
		t.Errorf("it still counts: %+v", usage)
	}
}
