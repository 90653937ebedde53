package s3x_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/secret"
)

var ids = id.NewSequence(7)

func newKey() s3x.Key { return s3x.TenantKey(ids.New(), ids.New()) }

func open(t *testing.T, c config.S3) *s3x.Store {
	t.Helper()
	store, err := s3x.Open(context.Background(), c, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestStoreConforms(t *testing.T) {
	s3test.Conformance(t, s3test.Open(t))
}

func TestKeys(t *testing.T) {
	tenant, file := ids.New(), ids.New()
	key := s3x.TenantKey(tenant, file)
	if key.String() != tenant.String()+"/"+file.String() || key.Tenant() != tenant || key.File() != file {
		t.Errorf("key = %s", key)
	}
	for name, make := range map[string]func(){
		"no tenant": func() { s3x.TenantKey(uuid.Nil, file) },
		"no file":   func() { s3x.TenantKey(tenant, uuid.Nil) },
		"archive":   func() { s3x.ArchiveKey(uuid.Nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			make()
		}()
	}
}

// A large object comes from a reader that cannot be rewound and whose content is never in memory at once.
func TestLargeObjectsTakeConstantMemory(t *testing.T) {
	const size = 200 << 20
	store, key := s3test.Open(t), newKey()
	source := func() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{1}), size) }
	sum := sha256.New()
	if _, err := io.Copy(sum, source()); err != nil {
		t.Fatal(err)
	}
	want := hex.EncodeToString(sum.Sum(nil))

	peak := watchHeap(t)
	object, err := store.Put(context.Background(), key, source(), size, "application/octet-stream")
	if err != nil {
		t.Fatal(err)
	}
	if used := peak(); used > 100<<20 {
		t.Errorf("the upload took %d MiB of memory", used>>20)
	}
	if object.SHA256 != want || object.Size != size {
		t.Errorf("put gives %+v", object)
	}

	content, err := store.Get(context.Background(), key, s3x.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	sum.Reset()
	if n, err := io.Copy(sum, content); err != nil || n != size || hex.EncodeToString(sum.Sum(nil)) != want {
		t.Errorf("%d bytes came back changed: %v", n, err)
	}
	if head, err := store.Head(context.Background(), key); err != nil || head.SHA256 != "" || head.ETag != object.ETag {
		t.Errorf("the sum of sums passes for that of the content: %+v, %v", head, err)
	}
}

// watchHeap samples the heap until the returned function is called, which gives the greatest growth.
func watchHeap(t *testing.T) func() uint64 {
	t.Helper()
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	done, result := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapInuse-min(now.HeapInuse, before.HeapInuse))
			case <-done:
				tick.Stop()
				result <- most
				return
			}
		}
	}()
	return func() uint64 { close(done); return <-result }
}

func TestACutUploadLeavesNothing(t *testing.T) {
	c := s3test.Config(t)
	store := open(t, c)
	broken := errors.New("the client went away")
	long := func() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{1}), 20<<20) }

	key := newKey()
	if _, err := store.Put(context.Background(), key, io.MultiReader(long(), failing{broken}), 30<<20, "a/b"); !errors.Is(err, broken) {
		t.Errorf("broken reader: %v", err)
	}
	mustBeMissing(t, store, key)

	ctx, cancel := context.WithCancel(context.Background())
	key = newKey()
	if _, err := store.Put(ctx, key, io.MultiReader(long(), cancelling{cancel}, long()), 40<<20, "a/b"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	mustBeMissing(t, store, key)

	if n := s3test.OpenUploads(t, c); n != 0 {
		t.Errorf("%d uploads are still open", n)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type cancelling struct{ cancel func() }

func (c cancelling) Read([]byte) (int, error) { c.cancel(); return 0, io.EOF }

func mustBeMissing(t *testing.T, store *s3x.Store, key s3x.Key) {
	t.Helper()
	if _, err := store.Head(context.Background(), key); !errors.Is(err, s3x.ErrNotFound) {
		t.Errorf("head: %v", err)
	}
}

func TestAStoreThatWillNotServeIsUnavailable(t *testing.T) {
	good := s3test.Config(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := good
	dead.Endpoint = "http://" + listener.Addr().String()
	listener.Close()
	noBucket, wrongKey := good, good
	noBucket.Bucket = "no-such-bucket"
	wrongKey.SecretKey = secret.New("wrong")

	for name, c := range map[string]config.S3{"nobody listens": dead, "wrong secret": wrongKey, "no bucket": noBucket} {
		store, key := open(t, c), newKey()
		_, put := store.Put(context.Background(), key, strings.NewReader("x"), 1, "a/b")
		_, get := store.Get(context.Background(), key, s3x.Range{})
		calls := map[string]error{"put": put, "get": get, "delete": store.Delete(context.Background(), key), "ready": store.Ready(context.Background())}
		for _, err := range store.List(context.Background(), key.Tenant()) {
			calls["list"] = err
		}
		for call, err := range calls {
			if !errors.Is(err, s3x.ErrUnavailable) || errors.Is(err, s3x.ErrNotFound) {
				t.Errorf("%s: %s: error = %v", name, call, err)
			}
			if err != nil && strings.Contains(err.Error(), good.SecretKey.Reveal()) {
				t.Errorf("%s: %s: the error holds the secret key", name, call)
			}
		}
		if len(calls) != 5 {
			t.Errorf("%s: listing is silent", name)
		}
	}
}

func TestAForeignObjectIsAnErrorInAListing(t *testing.T) {
	c := s3test.Config(t)
	store, key := open(t, c), newKey()
	s3test.PutRaw(t, c, key.Tenant().String()+"/!not-an-id")
	if _, err := store.Put(context.Background(), key, strings.NewReader("x"), 1, "a/b"); err != nil {
		t.Fatal(err)
	}
	var keys []s3x.Key
	var errs []error
	for object, err := range store.List(context.Background(), key.Tenant()) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		keys = append(keys, object.Key)
	}
	if len(errs) != 1 || !errors.Is(errs[0], id.ErrMalformed) || len(keys) != 1 || keys[0] != key {
		t.Errorf("errors %v, keys %v", errs, keys)
	}
}
