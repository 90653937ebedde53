package infra_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
)

// TestTheLongestPaths: what the rules take, the indexes take, in the letters
// that are written with most bytes and follow no pattern that could be
// compressed.
func TestTheLongestPaths(t *testing.T) {
	t.Parallel()
	tenant, ids := pgtest.Tenant(t), id.NewSequence(7)
	source := rand.New(rand.NewPCG(7, 7))
	for letter, block := range map[string]struct {
		first rune
		many  int32
	}{
		"two bytes": {0x0400, 0x100}, "three bytes": {0x4E00, 0x5000}, "four bytes": {0x20000, 0xA000},
	} {
		word := func(length int) string {
			var text strings.Builder
			for range length {
				text.WriteRune(block.first + source.Int32N(block.many))
			}
			return text.String()
		}
		folder := ""
		for n := 1; ; n++ { // as long as it may be
			longer := folder + word(1)
			if n%200 == 0 {
				longer += "/"
			}
			if _, flaw := domain.CleanFolder(longer); flaw != "" {
				break
			}
			folder = longer
		}
		f, _, err := domain.Declare(ids.New(), ids.New(), ids.New(), domain.Declaration{Folder: folder, Name: word(255), ContentType: "text/plain"},
			domain.Policy{MaxBytes: 1}, now)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Folder)+len(f.Name) > page.MaxText {
			t.Errorf("%s: a path of %d bytes", letter, len(f.Folder)+len(f.Name))
		}
		f.Status, f.Object, f.SHA256 = domain.Ready, uuid.New(), []byte("sum") // in the index of current names, too
		insert(t, tenant, f)
	}
}
