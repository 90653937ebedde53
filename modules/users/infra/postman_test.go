package infra_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
)

func TestPostmanDeliversAlsoWhenTheRequestIsOver(t *testing.T) {
	t.Parallel()
	mail := &mailx.Recorder{}
	postman, wait := infra.NewPostman(mail, mailx.Links{Invitation: "https://insula.example/invitation"}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	postman.Deliver(ctx, tenancy.Tenant{Slug: "acme", Name: "Acme"}, "ada@example.com",
		users.Invitation{Email: "bob@example.com", Token: secret.New("one-time"), Expires: noon})
	wait()
	m, ok := mail.Last("bob@example.com")
	if !ok || !strings.Contains(m.Text, "https://insula.example/invitation#tenant=acme&token=one-time") || !strings.Contains(m.Text, "ada@example.com") {
		t.Fatalf("sent %+v", m)
	}
}

func TestPostmanLogsWhatFailedWithoutTheToken(t *testing.T) {
	t.Parallel()
	mail := &mailx.Recorder{}
	mail.FailWith(errors.New("mail server away"))
	var log bytes.Buffer
	postman, wait := infra.NewPostman(mail, mailx.Links{}, slog.New(slog.NewTextHandler(&log, nil)))
	for range 20 {
		postman.Deliver(t.Context(), tenancy.Tenant{Slug: "acme"}, "", users.Invitation{Email: "bob@example.com", Token: secret.New("one-time")})
	}
	wait()
	if got := log.String(); strings.Count(got, "mail server away") != 20 || strings.Contains(got, "one-time") {
		t.Fatalf("log: %s", got)
	}
}
