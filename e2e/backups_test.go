package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// copyLimit is how long a copy of a small tenant may take on a busy machine,
// with what it waits for after a crash.
const copyLimit = 2 * time.Minute

// longWork is what the API tells of long work.
type longWork struct {
	ID       string
	Status   string
	TenantID string `json:"tenant_id"`
	Progress int
	Error    *struct{ Code, Detail string }
}

// backUp makes a backup of a tenant and returns its id.
func (l landlord) backUp(t *testing.T, n tenant) string {
	t.Helper()
	a := l.operator.do(t, "POST", "/v1/tenants/"+n.id+"/backups", "").want(t, http.StatusAccepted)
	l.follow(t, a, "succeeded")
	return a.text(t, "id")
}

// follow waits for the end of the operation that an answer names.
func (l landlord) follow(t *testing.T, a answer, status string) longWork {
	t.Helper()
	var o longWork
	eventually(t, copyLimit, func() error {
		got, err := l.operator.try(t.Context(), request{method: "GET", path: a.header.Get("Location")})
		if err != nil {
			return err
		}
		if got.status != http.StatusOK {
			return fmt.Errorf("%d %s", got.status, got.body)
		}
		if o = read[longWork](t, got); o.Status == "running" {
			return errors.New("still running")
		}
		return nil
	})
	if o.Status != status {
		t.Fatalf("%s ended as %+v %+v, want %s", a.what, o, o.Error, status)
	}
	return o
}
