package e2e_test

import (
	"net/http"
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
