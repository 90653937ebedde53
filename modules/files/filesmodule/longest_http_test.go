package filesmodule_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/insulahq/insula/modules/files/api"
	"github.com/insulahq/insula/platform/httpx"
)

// TestPagesOfTheLongestPaths goes from page to page where places are as long as
// folders and names may be: each cursor is taken back.
func TestPagesOfTheLongestPaths(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	const wide = "\U00020000" // four bytes in UTF-8
	name := strings.Repeat(wide, 254)
	folder := strings.Repeat(wide, 254) + "/" + strings.Repeat(wide, 112) + "/"
	for _, f := range []struct{ folder, name string }{
		{folder, name + "a"}, {folder, name + "b"}, {folder, name + "c"}, {folder + "aa/", "a"}, {folder + "bb/", "a"}, {folder + "cc/", "a"},
	} {
		decode[api.File](t, call(t, s, "POST", "/v1/files", fmt.Sprintf(`{"folder":%q,"name":%q,"size":1}`, f.folder, f.name)), 201)
	}
	for _, tc := range []struct {
		path, filter, value string
		pages               int
	}{
		{"/v1/files", "name", name, 3}, {"/v1/files", "folder", folder, 3}, {"/v1/files", "below", folder, 6}, {"/v1/folders", "inside", folder, 3},
	} {
		query, cursor := url.Values{"limit": {"1"}, tc.filter: {tc.value}}, 0
		seen := map[string]bool{}
		for pages := 1; ; pages++ {
			w := call(t, s, "GET", tc.path+"?"+query.Encode(), "")
			seen[w.Body.String()] = true
			next := decode[httpx.List[map[string]any]](t, w, 200).NextCursor
			cursor = max(cursor, len(next))
			if next == "" || pages > tc.pages {
				break
			}
			query.Set("cursor", next)
		}
		if len(seen) != tc.pages || cursor < 1000 {
			t.Errorf("%s?%s=… has %d pages, not %d; the longest cursor has %d characters", tc.path, tc.filter, len(seen), tc.pages, cursor)
		}
	}
}
