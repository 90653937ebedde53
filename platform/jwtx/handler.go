package jwtx

import (
	"encoding/json"
	"net/http"

	"github.com/insulahq/insula/platform/clock"
)

// jwksCache lets clients keep the keys for a few minutes: a new key is
// published before it signs, and an old one verifies until its last token has
// expired.
const jwksCache = "public, max-age=300"

// Handler serves the JSON Web Key Set of a key set.
func Handler(keys *KeySet, c clock.Clock) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		doc, err := json.Marshal(keys.JWKS(c.Now()))
		if err != nil { // a document of strings always marshals
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Header().Set("Cache-Control", jwksCache)
		_, _ = w.Write(doc) // a client that hung up misses nothing
	}
}
