package wiregen_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	usersapi "github.com/insulahq/insula/modules/users/api"
)

// What the tests of the whole house must know about API keys.
var _ = show(exhibit{
	permissions: map[string]string{"apikeys.create": admins, "apikeys.list": readers, "apikeys.revoke": admins},
	done: map[string]deed{
		"apikeys.create": {func(t *testing.T, n *tenant) *response {
			w := n.as().post(t, "/v1/api-keys", newAPIKey())
			n.secrets.add(decode[usersapi.CreatedAPIKey](t, w, http.StatusCreated).Key)
			return w
		}, "apikey"},
		"apikeys.revoke": {func(t *testing.T, n *tenant) *response {
			return n.as().call(t, "DELETE", "/v1/api-keys/"+n.apiKey(t).ID.String(), "")
		}, "apikey"},
	},
	failed: map[string]attempt{
		"apikeys.create": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, "/v1/api-keys", strings.Replace(newAPIKey(), "users.list", "tenants.list", 1))
		}, "users.api_key_beyond_own", false},
		"apikeys.revoke": {func(t *testing.T, n *tenant) *response {
			return n.as().call(t, "DELETE", "/v1/api-keys/"+someID(), "")
		}, "users.api_key_not_found", true},
	},
	bodies: map[string]string{"apikeys.create": newAPIKey()},
	lists:  map[string]string{"/v1/api-keys": ""},
	kind:   "apikey",
	thing:  func(t *testing.T, n *tenant) string { return n.apiKey(t).ID.String() },
})

// newAPIKey is a body that makes a key for listing users.
func newAPIKey() string {
	return fmt.Sprintf(`{"name":"import","operations":["users.list"],"expires_at":%q}`, noon.Add(24*time.Hour).Format(time.RFC3339))
}

// apiKey makes a key.
func (n *tenant) apiKey(t *testing.T) usersapi.CreatedAPIKey {
	t.Helper()
	k := decode[usersapi.CreatedAPIKey](t, n.as().post(t, "/v1/api-keys", newAPIKey()), http.StatusCreated)
	n.secrets.add(k.Key)
	return k
}
