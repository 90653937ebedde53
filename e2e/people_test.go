package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// password is everybody's unless a test is about passwords.
const password = "correct horse battery staple"

// tokens are the answer of every way to sign in.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
	Seconds int    `json:"expires_in"`
}

// user is how the API shows one.
type user struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Status    string    `json:"status"`
	Roles     []string  `json:"roles"`
	CreatedAt time.Time `json:"created_at"`
}

// as is the client with somebody's access token.
func (c client) as(s tokens) client {
	c.token = s.Access
	return c
}

// stranger is the client without a token.
func (c client) stranger() client {
	c.token = ""
	return c
}

// login signs in.
func (c client) login(t *testing.T, email, password string) tokens {
	t.Helper()
	return read[tokens](t, c.stranger().do(t, "POST", "/v1/auth/login", object("email", email, "password", password)).want(t, http.StatusOK))
}

// accept uses an invitation.
func (c client) accept(t *testing.T, token, name string) tokens {
	t.Helper()
	body := object("token", token, "password", password, "name", name)
	return read[tokens](t, c.stranger().do(t, "POST", "/v1/auth/invitations/accept", body).want(t, http.StatusOK))
}

// landlord is where tenants are made: an API, its operator and its mails.
type landlord struct {
	operator client
	mail     string
}

// landlord signs in as the demo's operator.
func (s *stack) landlord(t *testing.T) landlord {
	t.Helper()
	c := client{api: s.summary.API, tenant: s.summary.Operator.Slug}
	return landlord{
		operator: c.as(c.login(t, s.summary.Operator.Email, s.summary.Operator.Password)),
		mail:     s.summary.Mail,
	}
}

// tenant is one tenant with its first owner signed in.
type tenant struct {
	landlord
	id, slug   string
	ownerEmail string
	session    tokens // of the owner
	owner      client
}

// slugs numbers the tenants, so that a test can run twice on one stack.
var slugs atomic.Int64

// newTenant makes a tenant and lets its owner in, by mail as in life.
func (l landlord) newTenant(t *testing.T, name string) tenant {
	t.Helper()
	slug := fmt.Sprintf("%s-%d", name, slugs.Add(1))
	n := tenant{landlord: l, slug: slug, ownerEmail: "owner@" + slug + ".example"}
	made := l.operator.do(t, "POST", "/v1/tenants", object("slug", slug, "name", "Name of "+slug, "admin_email", n.ownerEmail)).want(t, http.StatusCreated)
	n.id = made.text(t, "id")
	if status := made.text(t, "status"); status != "active" || made.header.Get("Location") != "/v1/tenants/"+n.id {
		t.Fatalf("POST /v1/tenants answers 201 with %s, Location %s", made.body, made.header.Get("Location"))
	}
	n.owner = client{api: l.operator.api, tenant: slug}
	n.session = n.owner.accept(t, l.invitation(t, n.ownerEmail, slug), "Olga Owner")
	n.owner = n.owner.as(n.session)
	return n
}

// invite adds a user, who has not answered yet.
func (n tenant) invite(t *testing.T, email string, roles ...string) user {
	t.Helper()
	body := object("email", email, "name", "Sam Sample", "roles", append([]string{}, roles...))
	return read[user](t, n.owner.do(t, "POST", "/v1/users", body).want(t, http.StatusCreated))
}

// member adds a user and lets them in.
func (n tenant) member(t *testing.T, email string, roles ...string) (user, client) {
	t.Helper()
	u := n.invite(t, email, roles...)
	return u, n.owner.as(n.owner.accept(t, n.invitation(t, email, n.slug), "Sam Sample"))
}

// linkForm finds links in mails.
var linkForm = regexp.MustCompile(`https?://\S+#\S+`)

// mailLimit is how long a mail may take.
const mailLimit = 20 * time.Second

// letter is a mail that has arrived.
type letter struct {
	To            []string
	Subject, Text string
}

// letters are all that have arrived, the newest first.
func (l landlord) letters() ([]letter, error) {
	resp, err := web.Get(l.mail + "messages.json")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var box struct{ Items []letter }
	err = json.NewDecoder(resp.Body).Decode(&box)
	return box.Items, err
}

// token takes the token out of the link of a mail of this tenant.
func (m letter) token(slug string) (string, error) {
	link, err := url.Parse(linkForm.FindString(m.Text))
	if err != nil {
		return "", err
	}
	values, err := url.ParseQuery(link.Fragment)
	if err == nil && (values.Get("tenant") != slug || values.Get("token") == "") {
		err = errors.New("no link of " + slug + " in " + m.Subject)
	}
	return values.Get("token"), err
}

// invitation waits for the mail that invites an address to a tenant and takes
// the token out of its link.
func (l landlord) invitation(t *testing.T, email, slug string) string {
	t.Helper()
	return l.mailed(t, email, slug, "You are invited to")
}

// mailed waits for a mail with a subject that begins like this and takes the
// token out of its link.
func (l landlord) mailed(t *testing.T, email, slug, subject string) (token string) {
	t.Helper()
	eventually(t, mailLimit, func() error {
		all, err := l.letters()
		for _, m := range all {
			if err == nil && slices.Contains(m.To, email) && strings.HasPrefix(m.Subject, subject) {
				if found, refused := m.token(slug); refused == nil {
					token = found
					return nil
				}
			}
		}
		return errors.Join(err, errors.New("no mail with a token for "+email+": "+subject))
	})
	return token
}

// told waits for a mail with a subject that begins like this.
func (l landlord) told(t *testing.T, email, subject string) {
	t.Helper()
	eventually(t, mailLimit, func() error {
		all, err := l.letters()
		if slices.ContainsFunc(all, func(m letter) bool { return slices.Contains(m.To, email) && strings.HasPrefix(m.Subject, subject) }) {
			return nil
		}
		return errors.Join(err, errors.New("no mail to "+email+": "+subject))
	})
}

// event is how the trail shows one.
type event struct {
	ID        string
	Operation string
	Outcome   string
	Code      string
	Rule      string
	Actor     struct{ ID, Kind, Label string }
	Target    *struct{ ID, Kind, Label string }
	Before    map[string]any
	After     map[string]any
	RequestID string `json:"request_id"`
}

// trail reads the events of a tenant that match a filter, newest first.
func (c client) trail(t *testing.T, query string) []event {
	t.Helper()
	return all[event](t, c, "/v1/audit/events?limit=200&"+query)
}

// recorded fails the test unless a request left exactly one event, with this
// operation, outcome and code.
func (c client) recorded(t *testing.T, a answer, operation, outcome, code string) event {
	t.Helper()
	found := c.trail(t, "request_id="+a.id())
	if len(found) != 1 {
		t.Errorf("%s (%d) left %d events in the trail, want 1: %+v", a.what, a.status, len(found), found)
		return event{}
	}
	if e := found[0]; e.Operation != operation || e.Outcome != outcome || e.Code != code {
		t.Errorf("%s (%d) is recorded as %s %s %s, want %s %s %s", a.what, a.status, e.Operation, e.Outcome, e.Code, operation, outcome, code)
	}
	return found[0]
}
