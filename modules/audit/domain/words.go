package domain

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// Limits of the words that searches find a record by.
const (
	maxWords = 64 // of one record
	maxWord  = 64 // bytes
)

// Word is a word that a record is found by.
type Word struct {
	Word string
	At   time.Time
	ID   uuid.UUID
}

// WordsOf are the words that the values of a change are made of, in small
// letters: whatever stands between spaces and the like, so that an address is
// one word, and its parts. Names of fields are not among them.
func WordsOf(e Event) []Word {
	found := map[string]bool{}
	for _, side := range []json.RawMessage{e.Before, e.After} {
		d := json.NewDecoder(bytes.NewReader(side))
		d.UseNumber()
		var v any
		if side != nil && d.Decode(&v) == nil {
			eachText(v, func(text string) {
				for _, word := range split(text) {
					add(found, word)
					for _, part := range strings.FieldsFunc(word, isJoint) {
						add(found, part)
					}
				}
			})
		}
	}
	words := make([]Word, 0, len(found))
	for word := range found {
		words = append(words, Word{Word: word, At: e.At, ID: e.ID})
	}
	slices.SortFunc(words, func(a, b Word) int { return cmp.Compare(a.Word, b.Word) })
	return words
}

func add(found map[string]bool, word string) {
	if len(found) < maxWords && len(word) <= maxWord {
		found[word] = true
	}
}

func eachText(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		visit(v)
	case json.Number:
		visit(v.String())
	case []any:
		for _, item := range v {
			eachText(item, visit)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) { // always the same words, when there are too many
			eachText(v[name], visit)
		}
	}
}

// split takes a text apart at whatever joins no words.
func split(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !isJoint(r)
	})
	for i, word := range words {
		words[i] = strings.TrimFunc(word, isJoint)
	}
	return slices.DeleteFunc(words, func(word string) bool { return word == "" })
}

// isJoint reports whether a character joins the parts of one word.
func isJoint(r rune) bool { return strings.ContainsRune("@._-+:", r) }
