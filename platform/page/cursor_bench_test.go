package page_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/page"
)

func BenchmarkCursor(b *testing.B) {
	position := page.Position{At: time.UnixMicro(1_800_000_000_000_000).UTC(), ID: uuid.Max}
	const binding = "01980000-0000-7000-8000-000000000000|users.list|active|ada"
	cursor := codec.Encode(position, binding)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			codec.Encode(position, binding)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := codec.Decode(cursor, binding); err != nil {
				b.Fatal(err)
			}
		}
	})
}
