package httpx_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/page"
)

// TestListsTakeTheLongestCursor: no list makes a cursor that it then refuses.
func TestListsTakeTheLongestCursor(t *testing.T) {
	t.Parallel()
	field, _ := reflect.TypeFor[httpx.Paging]().FieldByName("Cursor")
	takes, err := strconv.Atoi(field.Tag.Get("maxLength"))
	if err != nil {
		t.Fatal(err)
	}
	longest := page.Position{At: time.Unix(0, 0), ID: uuid.Max, Text: strings.Repeat("x", page.MaxText)}
	if cursor := page.NewCodec(make([]byte, 32)).Encode(longest, "any"); len(cursor) > takes {
		t.Errorf("a cursor of %d characters is refused: %d may be", len(cursor), takes)
	}
}
