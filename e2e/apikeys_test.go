package e2e_test

import (
	"net/http"
	"testing"
	"time"
)

// The API keys of a household.
var _ = show("/v1/api-keys/{id}", func(t *testing.T, h household) []string {
	var ids []string
	for _, name := range []string{"import", "export"} {
		key := object("name", name, "operations", []string{"users.list"}, "expires_at", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		ids = append(ids, h.owner.do(t, "POST", "/v1/api-keys", key).want(t, http.StatusCreated).text(t, "id"))
	}
	return ids
})
