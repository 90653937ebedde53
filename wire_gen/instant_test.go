package wiregen_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// TestABackupUnderWritesIsOfOneInstant: while people and files come and go, a
// restored backup has every person with the one role that came with them and
// the record of it, and as much room taken as there are files.
func TestABackupUnderWritesIsOfOneInstant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n := h.tenant(t)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for ctx.Err() == nil {
				person := n.as().post(t, "/v1/users", fmt.Sprintf(`{"email":"%s@example.com","name":"Una","roles":["member"]}`, plain(uuid.NewString())))
				file := n.as().post(t, "/v1/files", `{"name":"a.txt","size":5}`)
				gone := n.as().with("If-Match", "*").call(t, "DELETE", n.as().post(t, "/v1/files", `{"name":"b.txt","size":5}`).Header().Get("Location"), "")
				if person.Code != http.StatusCreated || file.Code != http.StatusCreated || gone.Code != http.StatusNoContent {
					t.Errorf("the writers are answered %d, %d and %d", person.Code, file.Code, gone.Code)
					return
				}
			}
		})
	}
	defer func() { stop(); writers.Wait() }()
	for last := 0; last < 3; {
		before := len(n.rows(t)["users"])
		source, backup := operator.backup(t, n)
		if len(n.rows(t)["users"]) == before {
			continue // nobody wrote meanwhile
		}
		last++
		o := operator.must(t, operator.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"Then"}`, backup, newSlug())))
		operator.twin(t, n, o).holdsTogether(t)
	}
}

// holdsTogether checks what is always written in one unit of work.
func (n *tenant) holdsTogether(t *testing.T) {
	t.Helper()
	rows := n.rows(t)
	created := 0
	for _, e := range rows["audit_events"] {
		if strings.Contains(e, ",users.create,done,") {
			created++
		}
	}
	people := len(rows["users"]) - 1 // the owner was invited
	if len(rows["user_roles"]) != people+1 || created != people || people == 0 {
		t.Errorf("%d people have %d roles, and %d records tell of them", people, len(rows["user_roles"])-1, created)
	}
	if want := fmt.Sprintf(",%d,%d)", 5*len(rows["files"]), len(rows["files"])); len(rows["file_usage"]) != 1 || !strings.HasSuffix(rows["file_usage"][0], want) {
		t.Errorf("%d files of five bytes take up %v", len(rows["files"]), rows["file_usage"])
	}
}
