// Package jwtx makes and checks access tokens: JSON Web Tokens in the profile of RFC 9068, signed with
// Ed25519 and nothing else.
//
// A token's header is closed: it holds alg, kid and typ, and a token with any other parameter is refused,
// so nothing in it can name a key or an algorithm of the sender's choice.
package jwtx

import (
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Claims is what an access token says. Instants have the precision of a second.
type Claims struct {
	TenantID  uuid.UUID // the tenant it is good for
	Subject   uuid.UUID // the user
	SessionID uuid.UUID // the login it came from
	ID        uuid.UUID // of the token itself
	IssuedAt  time.Time
	NotBefore time.Time
	Expires   time.Time
	Issuer    string // Sign fills it in
	Audience  string // Sign fills it in
}

// wireClaims is the JSON form of Claims.
type wireClaims struct {
	jwt.RegisteredClaims
	TenantID  uuid.UUID `json:"tid"`
	SubjectID uuid.UUID `json:"sub"` // hides the text of the same name, as ID hides jti
	SessionID uuid.UUID `json:"sid"`
	TokenID   uuid.UUID `json:"jti"`
}

func (c Claims) wire() *wireClaims {
	return &wireClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    c.Issuer,
			Audience:  jwt.ClaimStrings{c.Audience},
			IssuedAt:  jwt.NewNumericDate(c.IssuedAt),
			NotBefore: jwt.NewNumericDate(c.NotBefore),
			ExpiresAt: jwt.NewNumericDate(c.Expires),
		},
		TenantID: c.TenantID, SubjectID: c.Subject, SessionID: c.SessionID, TokenID: c.ID,
	}
}

// claims expects the instants and the audience to be there, which the parser has checked.
func (w *wireClaims) claims() Claims {
	return Claims{
		TenantID: w.TenantID, Subject: w.SubjectID, SessionID: w.SessionID, ID: w.TokenID,
		IssuedAt: w.IssuedAt.UTC(), NotBefore: w.NotBefore.UTC(), Expires: w.ExpiresAt.UTC(),
		Issuer: w.Issuer, Audience: w.Audience[0],
	}
}

// complete reports whether every identifier is there.
func (c Claims) complete() bool {
	for _, id := range []uuid.UUID{c.TenantID, c.Subject, c.SessionID, c.ID} {
		if id == uuid.Nil {
			return false
		}
	}
	return true
}
