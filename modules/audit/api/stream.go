package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

const typeEvents = "text/event-stream"

type streamInput struct {
	Accept      string `header:"Accept" doc:"Must allow text/event-stream."`
	Ticket      string `query:"ticket" maxLength:"100" doc:"A ticket of /v1/audit/stream-tickets, in place of a token."`
	LastSeen    string `query:"last_event_id" maxLength:"100" doc:"As Last-Event-ID, which comes before it, for a client that can not send it."`
	LastEventID string `header:"Last-Event-ID" maxLength:"100" doc:"id of the last event that you have: the stream goes on behind it. Absent: with what comes next."`
	AuditFilters
}

// after is the place behind which the stream goes on; nil for none.
func (in *streamInput) after() (*domain.Mark, error) {
	last, where := in.LastEventID, "header.Last-Event-ID"
	if last == "" {
		last, where = in.LastSeen, "query.last_event_id"
	}
	if last == "" {
		return nil, nil //nolint:nilnil // a stream that goes on behind nothing
	}
	m, err := domain.ParseMark(last)
	if err != nil {
		return nil, domain.ErrMark.At(where, "is not the id of an event of this stream")
	}
	return &m, nil
}

// AuditTicket opens the stream once.
type AuditTicket struct {
	Ticket    string    `json:"ticket" maxLength:"100" doc:"To be sent as the query parameter ticket. It is shown once." example:"insula_ticket_AZ…"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it can be used."`
}

func (a *API) ticket(ctx context.Context, _ *struct{}) (*httpx.Answer[AuditTicket], error) {
	made, err := a.viewing(scope.From(ctx)).Ticket(ctx)
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[AuditTicket]{Body: AuditTicket{Ticket: made.Text.Reveal(), ExpiresAt: made.Expires}}, nil
}

// stream is a stream of server-sent events: first "hello", then a "record" for
// each new event of the trail, whose id is to be sent when coming again, and
// comments as signs of life.
func (a *API) stream(ctx context.Context, in *streamInput) (*httpx.Stream, error) {
	if !strings.Contains(in.Accept, typeEvents) {
		return nil, errs.ErrNotAcceptable
	}
	spec, err := in.spec()
	if err != nil {
		return nil, err
	}
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	r := scope.From(ctx)
	return &httpx.Stream{ContentType: typeEvents, Write: func(ctx context.Context, w *httpx.StreamWriter) error {
		fmt.Fprintf(w, "retry: 2000\nevent: hello\ndata: {\"tenant\":%q}\n\n", r.Tenant.Slug) // an error shows when it is flushed
		if err := w.Flush(); err != nil {
			return err
		}
		return a.viewing(r).Watch(ctx, after, func(records []domain.Written) error {
			return sendRecords(w, spec, records)
		})
	}}, nil
}

func sendRecords(w *httpx.StreamWriter, spec domain.Spec, records []domain.Written) error {
	if len(records) == 0 {
		fmt.Fprint(w, ": still here\n\n") // an error shows when it is flushed
		return w.Flush()
	}
	for _, r := range records {
		if !spec.Finds(r.Event) {
			continue
		}
		text, err := json.Marshal(showEvent(r.Event))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "id: %s\nevent: record\ndata: %s\n\n", r.Mark(), text)
	}
	return w.Flush()
}
