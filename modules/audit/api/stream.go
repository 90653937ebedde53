package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

const typeEvents = "text/event-stream"

type streamInput struct {
	Accept      string `header:"Accept" doc:"Must allow text/event-stream."`
	LastEventID string `header:"Last-Event-ID" maxLength:"100" doc:"id of the last event that you have: the stream goes on behind it. Absent: with what comes next."`
	AuditFilters
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
	var after *domain.Mark
	if in.LastEventID != "" {
		m, err := domain.ParseMark(in.LastEventID)
		if err != nil {
			return nil, err
		}
		after = &m
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
