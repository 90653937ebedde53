package pg

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"
)

// registerTypes makes instants come back in UTC, whatever the machine's time
// zone, so that what is read equals what was written; and UUIDs travel as
// their 16 bytes instead of as text.
func registerTypes(c *pgx.Conn) { register(c.TypeMap()) }

func register(m *pgtype.Map) {
	pgxuuid.Register(m)
	m.RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID,
		Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
}
