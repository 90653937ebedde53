package httpx_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

var acme = tenancy.Tenant{ID: uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d"), Slug: "acme", Status: tenancy.Active}

// doorkeeper lets in the token "good", and "weak" without any permission.
type doorkeeper struct{}

func (doorkeeper) Recognize(token string) (scope.Bearer, error) {
	if token != "good" && token != "weak" {
		return scope.Bearer{}, errs.ErrUnauthenticated
	}
	caller := authn.Caller{Kind: authn.User, ID: uuid.Max, Label: token + "@example.com"}
	return scope.Bearer{Token: token, Who: scope.Request{Tenant: acme, Caller: caller}}, nil
}

func (doorkeeper) Admit(_ context.Context, b scope.Bearer, h tenancy.Hints, o authn.Origin) (scope.Request, error) {
	caller := b.Who.Caller
	caller.Origin = o
	switch {
	case h.Header != "" && h.Header != acme.Slug, h.Subdomain != "" && h.Subdomain != acme.Slug:
		return scope.Request{Tenant: acme, Caller: caller}, tenancy.ErrMismatch
	case b.Token == "good":
		caller.Grants = authn.NewGrants([]string{"all"}, map[string]string{"things.list": "all", "things.create": "all", "things.change": "all"})
	}
	return scope.Request{Tenant: acme, Caller: caller}, nil
}

func (doorkeeper) Visit(_ context.Context, h tenancy.Hints, o authn.Origin) (scope.Request, error) {
	if h.Header == "" && h.Subdomain == "" {
		return scope.Request{}, tenancy.ErrRequired
	}
	return scope.Request{Tenant: acme, Caller: authn.Caller{Kind: authn.Anonymous, Origin: o}}, nil
}

type byGrants struct{}

func (byGrants) Decide(r scope.Request, d op.Def) op.Decision {
	_, ok := r.Caller.Grants.Role(d.Name)
	return op.Decision{Allow: ok || d.Guard == op.ByNobody, Rule: "test"}
}

// nowhere is a unit of work over nothing.
type nowhere struct{}

type noTx struct{ trail uow.Trail }

func (*noTx) AfterCommit(func(context.Context)) {}
func (t *noTx) Trail() *uow.Trail               { return &t.trail }

func (nowhere) Read(_ context.Context, fn func(uow.Tx) error) error   { return fn(&noTx{}) }
func (nowhere) Look(_ context.Context, fn func(uow.Tx) error) error   { return fn(&noTx{}) }
func (nowhere) Write(_ context.Context, fn func(uow.Tx) error) error  { return fn(&noTx{}) }
func (nowhere) Record(_ context.Context, fn func(uow.Tx) error) error { return fn(&noTx{}) }

// house is a small server with one module, whose handlers count what they
// stored.
type house struct {
	*httpx.Server
	records *optest.Records
	log     *strings.Builder
	stored  int
	ready   error
}

var (
	listThings  = op.Read("things.list", "See things.")
	createThing = op.Write("things.create", "Create a thing.", op.About("thing"))
	changeThing = op.Write("things.change", "Change a thing.", op.About("thing"))
	hello       = op.Write("things.hello", "Say hello.", op.Public("Everybody may."))
	declared    = []op.Def{listThings, createThing, changeThing, hello}
)

type thingBody struct {
	Name string   `json:"name" minLength:"1" maxLength:"20"`
	Size int      `json:"size" minimum:"1" maximum:"100"`
	Tags []string `json:"tags,omitempty" maxItems:"3"`
}

type thingInput struct{ Body thingBody }

type thingsInput struct {
	httpx.Paging
}

type changeInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
	httpx.IfMatch
	httpx.IfNoneMatch
	Body thingBody
}

func newHouse(t *testing.T, adjust ...func(*httpx.Options)) *house {
	t.Helper()
	h := &house{records: &optest.Records{}, log: &strings.Builder{}}
	redis, err := redisx.Open(secret.Value{}, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(h.log, nil))
	plenty := redisx.Limit{Rate: 1000, Burst: 1000, Period: time.Minute}
	o := httpx.Options{
		Gate: doorkeeper{},
		Runner: func(r scope.Request) *op.Runner {
			return op.NewRunner(r, nowhere{}, byGrants{}, h.records, clock.System{}, id.System{}, log)
		},
		Limiter: redisx.NewLimiter(redis, "test", clock.System{}, nil),
		Limits:  httpx.Limits{Tenant: func(tenancy.Tenant) redisx.Limit { return plenty }, User: plenty, Network: plenty, Proof: plenty},
		Log:     log, IDs: id.NewSequence(1), Ready: func(context.Context) error { return h.ready },
		Keys:    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"keys":[]}`) },
		Version: "test", BaseDomain: "example.com", MaxBodyBytes: 1024, RequestTimeout: time.Minute,
	}
	for _, a := range adjust {
		a(&o)
	}
	h.Server = httpx.NewServer(o)
	h.register(h.Router())
	return h
}

func (h *house) register(r *httpx.Router) {
	httpx.Get(r, listThings, "/v1/things", func(_ context.Context, in *thingsInput) (*httpx.Answer[httpx.List[thingBody]], error) {
		switch in.Cursor {
		case "panic":
			panic("relation \"t_secret.users\" does not exist")
		case "undeclared":
			return nil, errors.New("relation \"t_secret.users\" does not exist")
		}
		return &httpx.Answer[httpx.List[thingBody]]{Body: httpx.List[thingBody]{Items: []thingBody{}}}, nil
	})
	httpx.Post(r, createThing, "/v1/things", func(_ context.Context, in *thingInput) (*httpx.Resource[thingBody], error) {
		h.stored++
		return httpx.Created(in.Body, 1, "/v1/things/1"), nil
	}, httpx.Status(http.StatusCreated))
	httpx.Patch(r, changeThing, "/v1/things/{id}", func(_ context.Context, in *changeInput) (*httpx.Resource[thingBody], error) {
		version, err := in.Version()
		if err != nil {
			return nil, err
		}
		if version != httpx.AnyVersion && version != 3 {
			return nil, errs.ErrPreconditionFailed
		}
		h.stored++
		return httpx.Show(in.Body, 4, in.IfNoneMatch), nil
	})
	httpx.Post(r, hello, "/v1/hello", func(context.Context, *struct{}) (*httpx.Nothing, error) { return nil, nil }, httpx.Secret)
}

// call sends a request with the token "good" unless the headers say else; an
// empty value removes a header.
func (h *house) call(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer good")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		switch {
		case headers[i] == "Host":
			req.Host = headers[i+1]
		case headers[i+1] == "":
			req.Header.Del(headers[i])
		default:
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}
