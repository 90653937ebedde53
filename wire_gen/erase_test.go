package wiregen_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/secret"
)

// What the tests of the whole house must know about erasing.
var _ = show(exhibit{
	permissions: map[string]string{"tenants.erase": landlords, "tenants.receipts.get": landlords, "tenants.expire": noRequest, "tenants.conclude": noRequest},
	done: map[string]deed{
		"tenants.erase": {func(t *testing.T, n *tenant) *response {
			gone := n.h.tenant(t)
			gone.delete(t)
			return n.as().post(t, "/v1/tenants/"+gone.id.String()+"/erase", object("slug", gone.slug))
		}, "tenant"},
	},
	failed: map[string]attempt{
		"tenants.erase": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/erase", `{"slug":"whoever"}`)
		}, "tenants.not_deleted", true},
	},
	bodies: map[string]string{"tenants.erase": `{"slug":"whoever"}`},
})

// delete takes a tenant out of the world, so that it can be brought back.
func (n *tenant) delete(t *testing.T) {
	t.Helper()
	mustDo(t, n.h.operator(t).remove(t, "/v1/tenants/"+n.id.String()))
}

// superuser runs a statement with all rights and returns how many rows it touched.
func (h *house) superuser(t *testing.T, sql string, args ...any) int64 {
	t.Helper()
	db, err := pgx.Connect(t.Context(), h.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	tag, err := db.Exec(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	return tag.RowsAffected()
}

// number is the one number that a query gives.
func (h *house) number(t *testing.T, sql string, args ...any) (n int64) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), h.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	if err := db.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// object is a JSON body of one field.
func object(name, value string) string { return fmt.Sprintf("{%q:%q}", name, value) }

// withRedis gives a house a Redis of its own.
func withRedis(t *testing.T) (*miniredis.Miniredis, func(*config.Config)) {
	t.Helper()
	r := miniredis.RunT(t)
	return r, func(c *config.Config) { c.Redis.URL = secret.New("redis://" + r.Addr()) }
}

// rich makes a tenant that has something of every sort.
func (h *house) rich(t *testing.T) *tenant {
	t.Helper()
	n := h.tenant(t)
	n.fileID(t, "one.txt", "hello")
	n.fileID(t, "two.txt", "hello again")
	n.user(t)
	n.seal(t)
	cache := redisx.NewCache[string](h.Redis, "erase", time.Minute, nil)
	if err := cache.Set(t.Context(), redisx.Tenant(n.id), "key", "value"); err != nil {
		t.Fatal(err)
	}
	h.superuser(t, `INSERT INTO river.river_job (kind, args, max_attempts, state, finalized_at)
		SELECT 'insula', jsonb_build_object('tenant', $1::text), 1, 'completed', now() FROM generate_series(1, 3)`, n.id.String())
	return n
}

// TestNothingIsLeftOfAnErasedTenant looks wherever something of a tenant is
// kept, and compares the receipt with what there was.
func TestNothingIsLeftOfAnErasedTenant(t *testing.T) {
	t.Parallel()
	redis, set := withRedis(t)
	h := newHouse(t, set)
	n, neighbour, operator := h.rich(t), h.rich(t), h.operator(t)
	n.delete(t)
	was := h.belongings(t, redis, n)
	beside := h.belongings(t, redis, neighbour)
	if was.objects.Objects < 3 || was.tables < 20 || was.jobs != 3 || was.keys == 0 || was.registry < 2 || was.role != 1 {
		t.Fatalf("there is too little to erase: %+v", was)
	}

	was.registry-- // the note that it can be brought back ends when erasing begins
	w := operator.as().post(t, "/v1/tenants/"+n.id.String()+"/erase", object("slug", n.slug))
	begun := decode[tenantsapi.Operation](t, w, http.StatusAccepted)
	if at := w.Header().Get("Location"); at != "/v1/operations/"+begun.ID.String() || begun.Kind != "tenants.erase" {
		t.Errorf("%+v at %s", begun, at)
	}
	h.erased(t, n)

	if left := h.belongings(t, redis, n); left != (belongings{operations: 1, receipts: 1}) {
		t.Errorf("left behind: %+v", left)
	}
	if now := h.belongings(t, redis, neighbour); now != beside {
		t.Errorf("the neighbour has %+v, had %+v", now, beside)
	}
	r := decode[tenantsapi.Receipt](t, operator.as().get(t, "/v1/tenants/"+n.id.String()+"/receipt"), http.StatusOK)
	if r.Tables != was.tables || r.Rows != was.rows || r.Objects != was.objects.Objects || r.ObjectBytes != was.objects.Bytes ||
		r.Jobs != was.jobs || r.ControlRows != was.registry || r.DatabaseBytes == 0 || r.Slug != n.slug {
		t.Errorf("the receipt says %+v, there was %+v", r, was)
	}
	opened, err := domain.OpenReceipt(r.Note, h.Receipts.Public())
	if err != nil || opened.Tenant != n.id || opened.Holdings.Rows != was.rows {
		t.Errorf("the note says %+v, %v", opened, err)
	}
	told := operator.events(t, "operation=tenants.conclude&target_id="+n.id.String())
	if len(told) != 1 || told[0].Outcome != "done" || !strings.Contains(fmt.Sprint(told[0].After), fmt.Sprintf("rows:%d", was.rows)) {
		t.Errorf("the operator's trail says %+v", told)
	}
	refused(t, n.as().get(t, "/v1/me"), http.StatusNotFound, "tenant_unknown")
	refused(t, operator.as().get(t, "/v1/tenants/"+n.id.String()), http.StatusNotFound, "tenants.not_found")
	refused(t, operator.as().post(t, "/v1/tenants/"+n.id.String()+"/erase", object("slug", n.slug)), http.StatusNotFound, "tenants.not_found")
	decode[tenantsapi.Tenant](t, operator.as().post(t, "/v1/tenants", // the slug is free again
		fmt.Sprintf(`{"slug":%q,"name":"New","admin_email":"new@example.com"}`, n.slug)), http.StatusCreated, http.StatusAccepted)
}

// erased waits until the erasure of a tenant is done.
func (h *house) erased(t *testing.T, n *tenant) {
	t.Helper()
	if err := <-h.Eraser.Start(n.id); err != nil {
		t.Fatal(err)
	}
	if state := h.number(t, "SELECT count(*) FROM control.operations WHERE tenant_id = $1 AND kind = 'tenants.erase' AND status = 'succeeded'", n.id); state != 1 {
		t.Fatal("the operation has not succeeded")
	}
}

// belongings is what is found of a tenant.
type belongings struct {
	tables, rows, role, registry, jobs, operations, receipts int64
	keys                                                     int
	objects                                                  s3x.Stock
}

func (h *house) belongings(t *testing.T, redis *miniredis.Miniredis, n *tenant) (b belongings) {
	t.Helper()
	b.tables = h.number(t, "SELECT count(*) FROM pg_tables WHERE schemaname = $1", n.schema)
	b.role = h.number(t, "SELECT count(*) FROM pg_roles WHERE rolname = $1", n.schema) * h.number(t, "SELECT count(*) FROM pg_namespace WHERE nspname = $1", n.schema)
	b.rows = h.number(t, `SELECT coalesce(sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', schemaname, tablename), false, true, '')))[1]::text::bigint), 0)
		FROM pg_tables WHERE schemaname = $1`, n.schema)
	b.jobs = h.number(t, "SELECT count(*) FROM river.river_job WHERE args::text LIKE '%' || $1 || '%'", n.id.String())
	b.operations = h.number(t, "SELECT count(*) FROM control.operations WHERE tenant_id = $1 AND kind = 'tenants.erase'", n.id)
	b.receipts = h.number(t, "SELECT count(*) FROM control.erasure_receipts WHERE tenant_id = $1", n.id)
	b.registry = h.inControl(t, n) - b.operations - b.receipts - h.number(t, "SELECT count(*) FROM control.erasures WHERE tenant_id = $1", n.id)
	for _, key := range redis.Keys() {
		if strings.Contains(key, n.id.String()) {
			b.keys++
		}
	}
	var err error
	if b.objects, err = h.blobs.Stock(t.Context(), n.id); err != nil {
		t.Fatal(err)
	}
	return b
}

// inControl counts the rows of the control schema that have a tenant's id anywhere.
func (h *house) inControl(t *testing.T, n *tenant) int64 {
	t.Helper()
	return h.number(t, `SELECT sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM control.%I AS r WHERE r::text LIKE %L', tablename, '%' || $1 || '%'), false, true, '')))[1]::text::bigint)
		FROM pg_tables WHERE schemaname = 'control'`, n.id.String())
}

// TestErasingWaitsForWhatIsAway takes away, one after the other, what an
// erasure needs: it waits, says so, and in the end the receipt tells of all
// that there was.
func TestErasingWaitsForWhatIsAway(t *testing.T) {
	t.Parallel()
	redis, set := withRedis(t)
	h := newHouse(t, set)
	n, operator := h.rich(t), h.operator(t)
	n.delete(t)
	was := h.belongings(t, redis, n)

	h.blobs.FailWith(s3x.ErrUnavailable)
	redis.Close()
	operation := decode[tenantsapi.Operation](t, operator.as().post(t, "/v1/tenants/"+n.id.String()+"/erase", object("slug", n.slug)), http.StatusAccepted)
	waits := func(why error) {
		t.Helper()
		if err := <-h.Eraser.Start(n.id); !errors.Is(err, why) {
			t.Errorf("without it: %v", err)
		}
		o := decode[tenantsapi.Operation](t, operator.as().get(t, "/v1/operations/"+operation.ID.String()), http.StatusOK)
		if o.Status != "running" || o.Error == nil || o.Error.Code != "unavailable" {
			t.Errorf("the operation says %+v, %+v", o, o.Error)
		}
	}
	waits(s3x.ErrUnavailable)
	if kept := h.number(t, "SELECT count(*) FROM pg_tables WHERE schemaname = $1", n.schema); kept != was.tables {
		t.Error("something was removed before it was counted")
	}
	h.blobs.FailWith(nil)
	waits(redisx.ErrAway)
	if err := redis.Restart(); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(time.Minute) // the client asks again after a while
	h.erased(t, n)
	r := decode[tenantsapi.Receipt](t, operator.as().get(t, "/v1/tenants/"+n.id.String()+"/receipt"), http.StatusOK)
	if r.Rows != was.rows || r.Objects != was.objects.Objects || r.Tables != was.tables {
		t.Errorf("the receipt says %+v, there was %+v", r, was)
	}
}

// TestLateObjectsAreErasedToo: an object that comes by a link from before goes
// when every such link is over.
func TestLateObjectsAreErasedToo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	n.delete(t)
	mustDo(t, operator.as().post(t, "/v1/tenants/"+n.id.String()+"/erase", object("slug", n.slug)))
	h.erased(t, n)
	if _, err := h.blobs.Put(t.Context(), s3x.TenantKey(n.id, uuid.New()), strings.NewReader("late"), 4, "text/plain"); err != nil {
		t.Fatal(err)
	}
	if err := <-h.Eraser.Start(n.id); err != nil { // too early
		t.Fatal(err)
	}
	h.clock.Advance(domain.LateObjects)
	if err := <-h.Eraser.Start(n.id); err != nil {
		t.Fatal(err)
	}
	if stock, err := h.blobs.Stock(t.Context(), n.id); err != nil || stock.Objects != 0 {
		t.Errorf("%+v, %v", stock, err)
	}
	if left := h.inControl(t, n); left != 2 { // operation and receipt
		t.Errorf("%d rows are left", left)
	}
}

func TestOnlyTheRightTenantIsErased(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	path := "/v1/tenants/" + n.id.String() + "/erase"
	refused(t, operator.as().post(t, path, object("slug", n.slug)), http.StatusConflict, "tenants.not_deleted")
	refused(t, operator.as().post(t, "/v1/tenants/"+operator.id.String()+"/erase", object("slug", operator.slug)), http.StatusConflict, "tenants.landlord")
	n.delete(t)
	refused(t, operator.as().post(t, path, object("slug", operator.slug)), http.StatusUnprocessableEntity, "tenants.other_slug")
	refused(t, operator.as().get(t, "/v1/tenants/"+n.id.String()+"/receipt"), http.StatusNotFound, "tenants.receipt_not_found")
}

// erasing are the jobs that erase tenants, in the operator's name.
var erasing = []string{"tenants.conclude", "tenants.expire"}

// TestGraceEndsInErasure: a deleted tenant is erased when its grace is over,
// not before, and the operator's trail says that nobody asked for it.
func TestGraceEndsInErasure(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	n.delete(t)
	if pending, err := h.Erasures.Pending(t.Context()); err != nil || slices.Contains(pending, n.id) {
		t.Errorf("before its time %v is to be erased, %v", pending, err)
	}
	// This one alone: other tests have deleted tenants too, in the same database.
	h.superuser(t, "UPDATE control.deletions SET erase_after = $2 WHERE tenant_id = $1", n.id, noon)
	if pending, err := h.Erasures.Pending(t.Context()); err != nil || !slices.Contains(pending, n.id) {
		t.Errorf("after its time %v is to be erased, %v", pending, err)
	}
	h.erased(t, n)
	operator := h.operator(t)
	for _, job := range erasing {
		operator.tellsOfJob(t, job, worked[job])
		if told := operator.events(t, "operation="+job+"&target_id="+n.id.String()); len(told) != 1 {
			t.Errorf("of %s the operator's trail says %+v", job, told)
		}
	}
}

// TestArchivesAreErasedToo: an archive stays with a tenant that is deleted, but
// not one that is erased.
func TestArchivesAreErasedToo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	key := s3x.ArchiveKey(uuid.New())
	if _, err := h.blobs.Put(t.Context(), key, strings.NewReader("archive"), 7, "application/octet-stream"); err != nil {
		t.Fatal(err)
	}
	h.superuser(t, `INSERT INTO control.backups (id, tenant_id, slug, name, admin_email, status, reason, object_id, schema_version, row_count, file_count,
			file_bytes, size, sha256, snapshot_at, version, created_at, updated_at)
		VALUES (gen_random_uuid(), $1, $2, '', '', 'complete', 'request', $3, 0, 0, 0, 0, 7, '', now(), 1, now(), now())`,
		n.id, n.slug, strings.TrimPrefix(key.String(), "backups/"))
	n.delete(t)
	mustDo(t, operator.as().post(t, "/v1/tenants/"+n.id.String()+"/erase", object("slug", n.slug)))
	h.erased(t, n)
	if _, err := h.blobs.Head(t.Context(), key); !errors.Is(err, s3x.ErrNotFound) {
		t.Errorf("the archive is still there: %v", err)
	}
	r := decode[tenantsapi.Receipt](t, operator.as().get(t, "/v1/tenants/"+n.id.String()+"/receipt"), http.StatusOK)
	if left := h.inControl(t, n); left != 3 || r.Objects < 1 || r.ObjectBytes < 7 {
		t.Errorf("%d rows name it, and the receipt says %+v", left, r)
	}
}
