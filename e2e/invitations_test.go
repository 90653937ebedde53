package e2e_test

import (
	"net/http"
	"testing"
)

// Invitations are things of a household, under the ids of those they are for.
var _ = show("/v1/invitations/{id}", func(t *testing.T, h household) []string {
	t.Helper()
	for _, email := range []string{"ida@shared.example", "ian@shared.example"} {
		h.owner.do(t, "POST", "/v1/invitations", object("email", email)).want(t, http.StatusCreated)
	}
	return idsIn(t, h.owner, "/v1/invitations")
})
