package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// upload declares a file, brings its content and returns its id.
func upload(t *testing.T, c client, name, content string) string {
	t.Helper()
	id := c.do(t, "POST", "/v1/files", object("name", name, "size", len(content))).want(t, http.StatusCreated).text(t, "id")
	bring(t, c, id, content).want(t, http.StatusOK)
	return id
}

// bring sends the content of a declared file.
func bring(t *testing.T, c client, id, content string) answer {
	t.Helper()
	return c.do(t, "PUT", "/v1/files/"+id+"/content", content, "Content-Type: application/octet-stream")
}

// TestFileThroughS3 brings content and takes it back, whole and in part.
func TestFileThroughS3(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "files")
	content := strings.Repeat("Twelve monkeys. ", 40_000) // 640 kB: more than any buffer on the way
	declared := n.owner.do(t, "POST", "/v1/files", object("name", "Bericht für Ada.txt", "size", len(content), "content_type", "application/pdf")).want(t, http.StatusCreated)
	path := declared.header.Get("Location")
	id := declared.text(t, "id")
	n.owner.do(t, "GET", path+"/content", "").refused(t, http.StatusConflict, "files.not_ready")
	short := bring(t, n.owner, id, content[1:])
	short.refused(t, http.StatusUnprocessableEntity, "files.size_mismatch")
	stored := bring(t, n.owner, id, content).want(t, http.StatusOK)
	sum := sha256.Sum256([]byte(content))
	if stored.text(t, "sha256") != hex.EncodeToString(sum[:]) || stored.text(t, "status") != "ready" || !strings.HasPrefix(stored.text(t, "content_type"), "text/plain") {
		t.Errorf("stored %s", stored.body)
	}
	bring(t, n.owner, id, content).refused(t, http.StatusConflict, "files.not_pending")

	whole := n.owner.do(t, "GET", path+"/content", "").want(t, http.StatusOK)
	if string(whole.body) != content {
		t.Errorf("%d bytes came back, not the %d that were brought", len(whole.body), len(content))
	}
	if h := whole.header; !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("ETag") == "" {
		t.Errorf("content comes with %v", h)
	}
	for span, want := range map[string]string{"bytes=0-14": content[:15], "bytes=16-30": content[16:31], "bytes=-2": content[len(content)-2:], "bytes=639990-": content[639990:]} {
		part := n.owner.do(t, "GET", path+"/content", "", "Range: "+span).want(t, http.StatusPartialContent)
		if string(part.body) != want || !strings.HasSuffix(part.header.Get("Content-Range"), fmt.Sprintf("/%d", len(content))) {
			t.Errorf("%s: %q, %s", span, part.body, part.header.Get("Content-Range"))
		}
	}
	n.owner.do(t, "GET", path+"/content", "", "Range: bytes=640000-").refused(t, http.StatusRequestedRangeNotSatisfiable, "")
	n.owner.do(t, "GET", path+"/content", "", "If-None-Match: "+whole.header.Get("ETag")).want(t, http.StatusNotModified)

	removed := n.owner.do(t, "DELETE", path, "", "If-Match: *").want(t, http.StatusNoContent)
	n.owner.do(t, "GET", path+"/content", "").refused(t, http.StatusGone, "files.deleted")
	n.owner.do(t, "DELETE", path, "", "If-Match: *").want(t, http.StatusNoContent) // for good
	n.owner.do(t, "GET", path+"/content", "").refused(t, http.StatusNotFound, "")
	n.owner.recorded(t, declared, "files.create", "done", "")
	n.owner.recorded(t, short, "files.upload", "failed", "files.size_mismatch")
	n.owner.recorded(t, stored, "files.upload", "done", "")
	n.owner.recorded(t, removed, "files.delete", "done", "")
}
