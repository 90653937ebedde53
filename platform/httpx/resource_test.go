package httpx_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/httpx"
)

// TestWhatStandsBesideMakesAnotherTag: and leaves who changes the resource
// bound to its version alone.
func TestWhatStandsBesideMakesAnotherTag(t *testing.T) {
	tags := map[string]bool{}
	for _, beside := range [][]string{nil, {""}, {"a"}, {"a", "b"}, {"ab"}, {"a", "", "b"}, {`a","b`}} {
		tag := httpx.ETag(7, beside...)
		if tags[tag] {
			t.Errorf("%q has the tag of something else", beside)
		}
		tags[tag] = true
		if tag != httpx.ETag(7, beside...) {
			t.Errorf("%q has two tags", beside)
		}
		if v, err := (httpx.IfMatch{IfMatch: tag}).Version(); v != 7 || err != nil {
			t.Errorf("%s is of version %d, %v", tag, v, err)
		}
		if got := httpx.Show("x", 7, httpx.IfNoneMatch{IfNoneMatch: tag}, beside...); got.Status != http.StatusNotModified {
			t.Errorf("%s: %d", tag, got.Status)
		}
	}
	if got := httpx.Show("x", 7, httpx.IfNoneMatch{IfNoneMatch: httpx.ETag(7, "a")}, "b"); got.Status != http.StatusOK {
		t.Errorf("what stands beside has changed, yet the answer is %d", got.Status)
	}
}

func TestATagThatNobodyMadeMatchesNoVersion(t *testing.T) {
	for _, tag := range []string{"7", `"7"`, `"v7`, `v7"`, `"v07"`, `"v-7"`, `"v0"`, `"v7-"`, `"v7-abc"`, `"v7-0123456789abcdef`, `W/"v7"`, `"v7", "v8"`, `"v+7"`} {
		if v, err := (httpx.IfMatch{IfMatch: tag}).Version(); !errors.Is(err, errs.ErrPreconditionFailed) {
			t.Errorf("%s is of version %d, %v", tag, v, err)
		}
	}
}
