package wiregen_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// solo is a unit of work that notes what is read in company.
type solo struct {
	uow.Tx
	pg.DBTX
	shared *[]string
}

func (s solo) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	*s.shared = append(*s.shared, sql)
	return s.DBTX.QueryRow(ctx, sql, args...)
}

// TestWhatTakesLongIsMeasuredAlone: reads of one row share their trip with those
// of other tenants, so no meter may count or add up in one.
func TestWhatTakesLongIsMeasuredAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	var shared []string
	err := n.database(t).Unit().Read(t.Context(), func(tx uow.Tx) error {
		for _, m := range h.Meters {
			if _, err := m.Measure(t.Context(), solo{tx, pg.DB(tx), &shared}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range shared {
		if strings.Contains(sql, "count(") || strings.Contains(sql, "sum(") {
			t.Errorf("other tenants wait for %s", sql)
		}
	}
	if len(shared) == 0 {
		t.Error("the usage of files, a row by its key, is not read in company: nothing is noted")
	}
}
