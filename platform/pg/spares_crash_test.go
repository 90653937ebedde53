package pg_test

import (
	"context"
	"testing"

	"github.com/insulahq/insula/platform/pgtest"
)

// labour is a step at which keeping the stock can be stopped.
type labour struct {
	table string // what it waits for
	// before are the migrations of those that are in the stock then; nil for
	// an empty stock.
	before map[int64]string
	leaves bool // they are on their way out
}

var labours = map[string]labour{
	"entering a spare":           {table: "control.spares"},
	"making a spare's schema":    {table: "pg_namespace"},
	"making a spare's tables":    {table: "pg_constraint"},
	"making a spare's role":      {table: "pg_authid"},
	"letting the application in": {table: "pg_auth_members"},
	"beginning to bring it up":   {table: "control.spares", before: roomsOnly},
	"bringing a spare up":        {table: "pg_constraint", before: roomsOnly},
	"building its index outside": {table: "pg_index", before: withKeys},
	"dropping a spare's tables":  {table: "pg_constraint", before: withIndex, leaves: true},
	"dropping a spare's schema":  {table: "pg_namespace", before: withIndex, leaves: true},
	"dropping a spare's role":    {table: "pg_authid", before: withIndex, leaves: true},
	"forgetting a spare":         {table: "control.spares", before: withIndex, leaves: true},
}

// stockAtEachStep has the keeping of the stock wait at each of its steps and
// then be killed by a blow. The next who looks after the stock finishes it.
func stockAtEachStep(t *testing.T, db pgtest.DB, b blow) {
	t.Helper()
	for step, l := range labours {
		t.Run(step, func(t *testing.T) {
			w := l.prepared(t, db)
			holder := lockTable(t, db, l.table)
			done := strike(t, db, holder, b, func() error { return w.keeping(2).Restock(context.Background()) })
			_ = holder.Close(t.Context()) // its server may be gone
			if err := <-done; err == nil {
				t.Error("nobody noticed")
			}
			noOrphans(t, db)
			if err := insist(func() error { return w.keeping(2).Restock(t.Context()) }); err != nil {
				t.Fatal(err)
			}
			if got := w.ready(t); len(got) != 2 {
				t.Errorf("%d are ready, want 2", len(got))
			}
			noOrphans(t, db)
		})
	}
}

// prepared is the warehouse of a binary of the newest version, with what the
// stock has before.
func (l labour) prepared(t *testing.T, db pgtest.DB) warehouse {
	t.Helper()
	newest, err := pgtest.Migrations(withIndex)
	if err != nil {
		t.Fatal(err)
	}
	if l.before != nil {
		older, err := pgtest.Migrations(l.before)
		if err != nil {
			t.Fatal(err)
		}
		w := stockIn(t, db, older)
		w.restock(t, 1)
		if l.leaves {
			w.exec(t, "UPDATE control.spares SET state = 'leaving'")
		}
	}
	return stockIn(t, db, newest)
}
