package e2e_test

import (
	"net/http"
	"net/url"
	"testing"
)

// Links to the files of a household.
var _ = show("/v1/shares/{id}", func(t *testing.T, h household) []string {
	path := "/v1/files/" + h.file + "/shares"
	for range 2 {
		h.owner.do(t, "POST", path, object("expires_in", 3600)).want(t, http.StatusCreated)
	}
	return idsIn(t, h.owner, path)
})

// shareOf makes a link to a file and returns its token.
func shareOf(t *testing.T, c client, file string) string {
	t.Helper()
	made := c.do(t, "POST", "/v1/files/"+file+"/shares", object("expires_in", 3600)).want(t, http.StatusCreated)
	return must(url.Parse(made.text(t, "url")))(t).Query().Get("token")
}
