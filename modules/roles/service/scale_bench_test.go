package service_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra"
	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// crowd is a tenant of many users who have some of many roles, which inherit
// from one another in chains of five.
type crowd struct {
	pgtest.Fixture
	users   []uuid.UUID
	version int64
}

const (
	crowdUsers, crowdRoles, crowdDepth = 10_000, 200, 5
	rolesPerUser                       = 3
)

func gather(b *testing.B) crowd {
	b.Helper()
	c := crowd{Fixture: pgtest.Tenant(b)}
	random, ids := rand.New(rand.NewPCG(1, 2)), id.System{}
	entries := []string{"roles.get", "roles.list", "roles.*", "permissions.*", "things.change", "things.keep", "shop.close", "authz.explain"}
	roles := make([]uuid.UUID, crowdRoles)
	repository := infra.NewRepository(catalogue, clock.At(noon))
	c.Write(b, func(tx uow.Tx) error {
		if _, err := repository.Advance(b.Context(), tx, false); err != nil {
			return err
		}
		for i := range roles {
			r := domain.Role{ID: ids.New(), Name: fmt.Sprintf("role%d", i), Permissions: []string{entries[random.IntN(len(entries))]}, CustomPermissions: []string{}, CreatedAt: noon}
			if i%crowdDepth != 0 {
				r.Parents = []uuid.UUID{roles[i-1]}
			}
			if err := repository.Insert(b.Context(), tx, r); err != nil {
				return err
			}
			roles[i] = r.ID
		}
		for range crowdUsers {
			user := ids.New()
			c.users = append(c.users, user)
			var held []uuid.UUID
			for _, i := range random.Perm(crowdRoles)[:rolesPerUser] {
				held = append(held, roles[i])
			}
			_, err := pg.DB(tx).Exec(b.Context(), `INSERT INTO user_roles (user_id, role_id) SELECT $1, unnest($2::uuid[])`, user, held)
			if err != nil {
				return err
			}
		}
		p, err := repository.Policy(b.Context(), tx, false)
		c.version = p.Version
		return err
	})
	c.BehindTheWall(b, "ANALYZE")
	return c
}

// BenchmarkResolve finds out what a user may do: the first time that a process
// meets a version of the policy, then for one user after another.
func BenchmarkResolve(b *testing.B) {
	c := gather(b)
	resolve := func(b *testing.B, r *infra.Resolver, user uuid.UUID) {
		c.Read(b, func(tx uow.Tx) error {
			g, err := r.Grants(b.Context(), tx, c.Tenant, user, c.version)
			if err == nil && g.Len() == 0 {
				b.Fatal("nothing granted")
			}
			return err
		})
	}
	b.Run("policy-unknown", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			fresh, err := infra.NewResolver(catalogue, clock.At(noon))
			if err != nil {
				b.Fatal(err)
			}
			resolve(b, fresh, c.users[i%len(c.users)])
			i++
		}
	})
	b.Run("policy-known", func(b *testing.B) {
		resolve(b, standings, c.users[0])
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			resolve(b, standings, c.users[i%len(c.users)])
			i++
		}
	})
}

// BenchmarkCheck100 asks a hundred questions at once, about oneself and about
// a hundred others.
func BenchmarkCheck100(b *testing.B) {
	c := gather(b)
	caller := authn.Caller{
		Kind: authn.User, ID: c.users[0], Policy: c.version,
		Grants: authn.NewGrants(nil, map[string]string{"authz.explain": "reader", "roles.get": "reader"}),
	}
	for name, others := range map[string]bool{"oneself": false, "others": true} {
		b.Run(name, func(b *testing.B) {
			s := serveFor(b, c.Fixture, tenancy.Customer, caller, people{})
			names := []string{"roles.get", "things.change", "shop.close", "roles.update"}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				questions := make([]service.Question, 100)
				for k := range questions {
					questions[k].Permission = names[k%len(names)]
					if others {
						i++
						questions[k].User = c.users[1+i%(len(c.users)-1)]
					}
				}
				if _, err := s.Check(b.Context(), questions); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPolicyVersion reads a row by its key as the gate does, in turns with
// the version of the policy beside it and without, and tells the medians.
func BenchmarkPolicyVersion(b *testing.B) {
	c := gather(b)
	queries := map[string]string{
		"with":    `SELECT r.version, COALESCE((SELECT p.version FROM policy p WHERE p.current), 0)::bigint FROM roles r WHERE r.name = $1`,
		"without": `SELECT r.version, 0::bigint FROM roles r WHERE r.name = $1`,
	}
	took := map[string][]time.Duration{}
	for b.Loop() {
		for name, sql := range queries {
			start := time.Now()
			c.Read(b, func(tx uow.Tx) error {
				var role, policy int64
				return pg.DB(tx).QueryRow(b.Context(), sql, "role7").Scan(&role, &policy)
			})
			took[name] = append(took[name], time.Since(start))
		}
	}
	for name, all := range took {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Nanoseconds())/1e3, name+"-µs")
	}
}

// BenchmarkGrantsInRedis is what reading a user's grants would cost if they
// were kept there: a Redis in the same process, which no network parts from us.
func BenchmarkGrantsInRedis(b *testing.B) {
	client, err := redisx.Open(secret.New("redis://"+miniredis.RunT(b).Addr()+"/0"), clock.System{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close() })
	cache := redisx.NewCache[[]uint64](client, "grants", time.Hour, nil)
	tenant := redisx.Tenant(uuid.Max)
	if err := cache.Set(b.Context(), tenant, "user", []uint64{1 << 40, 2, 3}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok := cache.Get(b.Context(), tenant, "user"); !ok {
			b.Fatal("lost")
		}
	}
}
