package domain_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/secret"
)

type user struct {
	Email string       `json:"email"`
	Name  string       `json:"name"`
	Roles []string     `json:"roles"`
	Key   secret.Value `json:"key"`
}

func TestDifference(t *testing.T) {
	ada := user{Email: "ada@example.com", Name: "Ada", Roles: []string{"member"}}
	renamed, promoted := ada, ada
	renamed.Name = "Ada Lovelace"
	promoted.Roles = []string{"admin", "member"}
	whole := `{"email":"ada@example.com","key":"[redacted]","name":"Ada","roles":["member"]}`
	for name, tc := range map[string]struct {
		before, after any
		was, is       string
	}{
		"nothing":             {nil, nil, "", ""},
		"a nil pointer":       {(*user)(nil), &ada, "", whole},
		"made":                {nil, ada, "", whole},
		"removed":             {ada, nil, whole, ""},
		"one field":           {ada, renamed, `{"name":"Ada"}`, `{"name":"Ada Lovelace"}`},
		"a list":              {ada, promoted, `{"roles":["member"]}`, `{"roles":["admin","member"]}`},
		"no difference":       {ada, ada, `{}`, `{}`},
		"other shapes":        {map[string]int{"a": 1, "b": 2}, map[string]int{"b": 2, "c": 3}, `{"a":1}`, `{"c":3}`},
		"null is a value":     {map[string]any{"a": nil}, map[string]any{}, `{"a":null}`, `{}`},
		"no objects":          {"old", "new", `"old"`, `"new"`},
		"an object and a not": {map[string]int{"a": 1}, 7, `{"a":1}`, `7`},
		"NUL in a text":       {nil, map[string]string{"a\x00": "b\x00c"}, "", `{"a�":"b�c"}`},
		"NUL spelled out":     {nil, map[string]string{"a": `\u0000`}, "", `{"a":"\\u0000"}`},
		"half a pair":         {nil, json.RawMessage(`{"a":["\ud800",{"b":12345678901234567890}]}`), "", `{"a":["�",{"b":12345678901234567890}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			was, is, err := domain.Difference(tc.before, tc.after)
			if err != nil || string(was) != tc.was || string(is) != tc.is {
				t.Errorf("got %s -> %s, %v; want %s -> %s", was, is, err, tc.was, tc.is)
			}
		})
	}
}

func TestDifferenceNeverShowsSecrets(t *testing.T) {
	const content = "hunter2-hunter2"
	type nested struct {
		Inner map[string]secret.Value `json:"inner"`
		Keys  []*user                 `json:"keys"`
	}
	thing := nested{
		Inner: map[string]secret.Value{"a": secret.New(content)},
		Keys:  []*user{{Key: secret.New(content)}},
	}
	was, is, err := domain.Difference(nil, thing)
	if err != nil || was != nil {
		t.Fatalf("got %s, %v", was, err)
	}
	if strings.Contains(string(is), content) || strings.Count(string(is), "redacted") != 2 {
		t.Errorf("kept %s", is)
	}
}

func TestDifferenceRefusesWhatIsNoJSON(t *testing.T) {
	if _, _, err := domain.Difference(nil, make(chan int)); err == nil {
		t.Error("kept a channel")
	}
	if _, _, err := domain.Difference(func() {}, nil); err == nil {
		t.Error("kept a function")
	}
}

func TestDifferenceCutsTheLargestFieldsFirst(t *testing.T) {
	big, bigger := strings.Repeat("b", 9000), strings.Repeat("c", 12000)
	_, is, err := domain.Difference(nil, map[string]string{"a": "small", "big": big, "bigger": bigger})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"a":"small","big":%q,"bigger":"[cut: 12002 bytes]"}`, big)
	if string(is) != want {
		t.Errorf("kept %d bytes: %.60s…", len(is), is)
	}
	_, is, err = domain.Difference(nil, strings.Repeat("d", 20000))
	if err != nil || string(is) != `"[cut: 20002 bytes]"` {
		t.Errorf("kept %.60s, %v", is, err)
	}
	many := map[string]int{}
	for i := range 10000 {
		many[fmt.Sprintf("field %d", i)] = i
	}
	_, is, err = domain.Difference(nil, many)
	if err != nil || !strings.HasPrefix(string(is), `"[cut: `) {
		t.Errorf("kept %d bytes of many fields, %v", len(is), err)
	}
}

func TestDifferenceAgreesWithTheOracle(t *testing.T) {
	value := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.IntRange(0, 3), func(n int) any { return n }),
		rapid.Map(rapid.SampledFrom([]string{"x", "y", "\x00", strings.Repeat("z", 9000)}), func(s string) any { return s }),
	)
	object := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c", "d", "\n"}), value)
	rapid.Check(t, func(t *rapid.T) {
		before, after := object.Draw(t, "before"), object.Draw(t, "after")
		was, is, err := domain.Difference(before, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []struct {
			kept       json.RawMessage
			own, other map[string]any
		}{{was, before, after}, {is, after, before}} {
			var kept map[string]any
			if len(side.kept) > domain.MaxChange || json.Unmarshal(side.kept, &kept) != nil {
				t.Fatalf("kept %d bytes: %.80s", len(side.kept), side.kept)
			}
			var want []string
			for name, v := range side.own {
				if other, both := side.other[name]; !both || other != v {
					want = append(want, name)
				}
			}
			slices.Sort(want)
			if got := slices.Sorted(maps.Keys(kept)); !slices.Equal(got, want) {
				t.Fatalf("kept %q, want %q", got, want)
			}
		}
	})
}
