package wiregen_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/s3x"
)

var _ = show(exhibit{
	permissions: map[string]string{
		"tenants.backups.create": landlords, "tenants.backups.list": landlords, "tenants.backups.get": landlords,
		"tenants.backups.delete": landlords, "tenants.restore": landlords, "tenants.clone": landlords,
		"tenants.pack": noRequest, "tenants.unpack": noRequest, "tenants.copy": noRequest, "tenants.discard": noRequest,
	},
	done: map[string]deed{
		"tenants.backups.create": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/backups", "")
		}, "tenant"},
		"tenants.backups.delete": {func(t *testing.T, n *tenant) *response {
			source, backup := n.backup(t, n.h.tenant(t))
			return n.as().with("If-Match", "*").call(t, "DELETE", "/v1/tenants/"+source+"/backups/"+backup, "")
		}, "backup"},
		"tenants.restore": {func(t *testing.T, n *tenant) *response {
			source, backup := n.backup(t, n.h.tenant(t))
			return n.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"New"}`, backup, newSlug()))
		}, "tenant"},
		"tenants.clone": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/clone", fmt.Sprintf(`{"slug":%q,"name":"New"}`, newSlug()))
		}, "tenant"},
	},
	failed: map[string]attempt{
		"tenants.backups.create": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, "/v1/tenants/"+n.id.String()+"/backups", "")
		}, "tenants.landlord_copy", true},
		"tenants.backups.delete": {func(t *testing.T, n *tenant) *response {
			return n.as().with("If-Match", "*").call(t, "DELETE", n.customer(t)+"/backups/"+someID(), "")
		}, "tenants.backup_not_found", true},
		"tenants.restore": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/restore", fmt.Sprintf(`{"backup_id":%q,"in_place":true}`, someID()))
		}, "tenants.backup_not_found", true},
		"tenants.clone": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/clone", `{"slug":"landlord","name":"New"}`)
		}, "tenants.slug_taken", true},
	},
})

func newSlug() string { return "t" + plain(uuid.NewString()) }

// follow waits for the end of the operation that an answer names, and returns
// it as the operator sees it.
func (n *tenant) follow(t *testing.T, w *response) tenantsapi.Operation {
	t.Helper()
	if w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	path := w.Header().Get("Location")
	id := uuid.MustParse(strings.TrimPrefix(path, "/v1/operations/"))
	for {
		<-n.h.Copier.Start(id) // joins the attempt that is under way
		if o := decode[tenantsapi.Operation](t, n.as().get(t, path), http.StatusOK); o.Status != "running" {
			return o
		}
	}
}

// must is follow for what has to succeed.
func (n *tenant) must(t *testing.T, w *response) tenantsapi.Operation {
	t.Helper()
	o := n.follow(t, w)
	if o.Status != "succeeded" || o.Progress != 100 || o.Error != nil {
		t.Fatalf("%+v %+v", o, o.Error)
	}
	return o
}

// backup backs up a tenant and returns its id and that of the backup.
func (n *tenant) backup(t *testing.T, of *tenant) (source, backup string) {
	t.Helper()
	source = of.id.String()
	w := n.as().post(t, "/v1/tenants/"+source+"/backups", "")
	n.must(t, w)
	return source, decode[tenantsapi.Backup](t, w, http.StatusAccepted).ID.String()
}

// twin is a copy of a tenant, with the same owner signed in.
func (n *tenant) twin(t *testing.T, of *tenant, o tenantsapi.Operation) *tenant {
	t.Helper()
	made, err := n.h.Directory.ByID(t.Context(), o.TenantID)
	if err != nil {
		t.Fatal(err)
	}
	twin := &tenant{h: n.h, id: made.ID, slug: made.Slug, schema: made.Schema, owner: of.owner, secrets: &secrets{}}
	twin.owner.signIn(t, twin)
	return twin
}

// households furnishes a tenant for a copy, and returns a file of it.
func (h *house) household(t *testing.T) (n *tenant, file string) {
	t.Helper()
	n = h.tenant(t)
	n.user(t, "member")
	n.role(t, "users.list")
	file = n.file(t)
	mustDo(t, n.as().call(t, "PUT", file+"/content", "hello"))
	n.apiKey(t)
	n.seal(t)
	return n, file
}

// carried are the tables that any copy has as they were.
var carried = []string{"users", "roles", "user_roles", "role_parents", "files", "file_usage", "authenticators", "recovery_codes", "custom_permissions"}

// TestABackupBecomesANewTenant: with the people, roles, files and records of
// the old one; without its sessions and API keys; and with a trail of its own.
func TestABackupBecomesANewTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator := h.operator(t)
	n, file := h.household(t)
	before := n.rows(t)
	source, backup := operator.backup(t, n)
	path := "/v1/tenants/" + source + "/backups/" + backup
	b := decode[tenantsapi.Backup](t, operator.as().get(t, path), http.StatusOK)
	if b.Status != "complete" || b.At == nil || b.Files != 1 || b.FileBytes != 5 || b.Rows < 10 || b.Size < 1000 || len(b.SHA256) != 64 || b.Slug != n.slug {
		t.Errorf("the backup is %+v", b)
	}
	mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", file, ""))
	n.user(t)

	o := operator.must(t, operator.as().post(t, "/v1/tenants/"+source+"/restore", fmt.Sprintf(`{"backup_id":%q,"slug":%q,"name":"Restored"}`, backup, newSlug())))
	twin := operator.twin(t, n, o)
	after := twin.rows(t)
	for _, table := range carried {
		if !slices.Equal(before[table], after[table]) {
			t.Errorf("table %s was\n%s\nand is\n%s", table, before[table], after[table])
		}
	}
	for _, table := range []string{"api_keys", "file_shares", "refresh_tokens", "one_time_tokens", "outbox", "idempotency_keys"} {
		if table != "refresh_tokens" && len(after[table]) > 0 {
			t.Errorf("table %s has %s", table, after[table])
		}
	}
	if len(after["refresh_tokens"]) != 1 || len(after["sessions"]) != 1 {
		t.Errorf("sessions %s", after["sessions"]) // only the one that has just begun
	}
	if w := twin.as().get(t, file+"/content"); w.Body.String() != "hello" {
		t.Errorf("the file is %d %s", w.Code, w.Body)
	}
	refused(t, twin.with(t, n.owner), http.StatusUnauthorized, "unauthenticated")
	twin.seal(t)
	if verified := twin.as().get(t, "/v1/audit/verify"); verified.Code != http.StatusOK || !strings.Contains(verified.Body.String(), `"intact":true`) && !strings.Contains(verified.Body.String(), `"ok":true`) {
		t.Errorf("the new trail: %d %s", verified.Code, verified.Body)
	}
	if found := twin.events(t, "operation=users.create"); len(found) != len(n.events(t, "operation=users.create")) && len(found) == 0 {
		t.Error("the records did not come along")
	}
}

// with presents a token of another tenant at this one's address.
func (n *tenant) with(t *testing.T, p person) *response {
	t.Helper()
	return n.h.bearer(p.token).with("X-Tenant", n.slug).get(t, "/v1/me")
}

var _ = context.Background
var _ = io.EOF
var _ = bytes.MinRead
var _ pgx.Identifier
var _ httpx.Nothing
var _ s3x.Key
