package mailx

import (
	"context"
	"slices"
	"sync"
)

// Recorder is a Sender for tests: it keeps messages instead of sending them. Safe for concurrent use.
type Recorder struct {
	mu   sync.Mutex
	sent []Message
	fail error
}

// Send checks the message as SMTP does, and keeps it.
func (r *Recorder) Send(ctx context.Context, m Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := m.check(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	r.sent = append(r.sent, m)
	return nil
}

// FailWith makes the following calls of Send return err, until it is nil again.
func (r *Recorder) FailWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

// Sent returns the messages kept so far, oldest first.
func (r *Recorder) Sent() []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sent)
}

// Last returns the newest message to this address.
func (r *Recorder) Last(to string) (Message, bool) {
	for _, m := range slices.Backward(r.Sent()) {
		if m.To == to {
			return m, true
		}
	}
	return Message{}, false
}
