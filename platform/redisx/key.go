package redisx

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

// Scope says whose a key is: one tenant's, or everybody's. The zero Scope is nobody's and makes no keys.
type Scope struct {
	tag string
}

// Global is the scope of what belongs to no tenant.
var Global = Scope{tag: "global"}

// Tenant is the scope of one tenant. It panics without one: a key under the zero id would be shared by all
// callers that made the same mistake.
func Tenant(id uuid.UUID) Scope {
	if id == uuid.Nil {
		panic("redisx: key without a tenant")
	}
	return Scope{tag: id.String()}
}

// Name is the name of a key in Redis. Only Key, GlobalKey and Scope.Key make one, so every key carries its
// scope: insula:{<tenant>}:<part>:<part>. The braces make Redis Cluster keep a tenant's keys on one node.
type Name struct {
	text string
}

// Key names a tenant's key.
func Key(tenantID uuid.UUID, parts ...string) Name { return Tenant(tenantID).Key(parts...) }

// GlobalKey names a key that belongs to no tenant.
func GlobalKey(parts ...string) Name { return Global.Key(parts...) }

// Key names a key in the scope. Two lists of parts never give the same name, whatever the parts hold.
func (s Scope) Key(parts ...string) Name {
	if s.tag == "" {
		panic("redisx: key without a scope")
	}
	var b strings.Builder
	b.WriteString("insula:{" + s.tag + "}")
	for _, part := range parts {
		b.WriteByte(':')
		b.WriteString(escape(part))
	}
	return Name{text: b.String()}
}

// String returns the key's name as Redis sees it.
func (n Name) String() string { return n.text }

// maxPart bounds a part, because parts may come from callers (a login's e-mail address).
const maxPart = 100

// escaper takes the meaning from the characters that structure a name, and from the two it uses itself.
var escaper = strings.NewReplacer("%", "%25", ":", "%3A", "{", "%7B", "}", "%7D", "~", "%7E")

// escape makes a part free of structure; a long one is represented by its hash, marked by a tilde.
func escape(part string) string {
	if len(part) > maxPart {
		sum := sha256.Sum256([]byte(part))
		return "~" + hex.EncodeToString(sum[:])
	}
	return escaper.Replace(part)
}
