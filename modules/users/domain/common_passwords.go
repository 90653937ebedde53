package domain

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// commonFile lists the passwords that people choose most, in lower case,
// sorted. NOTICE says where it comes from.
//
//go:embed common_passwords.txt.gz
var commonFile []byte

// common is the list as text that all its entries share.
var common = sync.OnceValue(func() []string {
	r, err := gzip.NewReader(bytes.NewReader(commonFile))
	if err != nil {
		panic(err) // the file is part of the binary
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
})

// isCommon reports whether a password is one that guessers try first: a
// listed one whatever the case of its letters, or something listed, or one
// character, over and over.
func isCommon(password string) bool {
	lower := strings.ToLower(password)
	if isListed(lower) {
		return true
	}
	for size := 1; size <= len(lower)/2; size++ {
		unit := lower[:size]
		if len(lower)%size != 0 || strings.Repeat(unit, len(lower)/size) != lower {
			continue
		}
		return utf8.RuneCountInString(unit) == 1 || isListed(unit) // the shortest unit is what repeats
	}
	return false
}

func isListed(lower string) bool {
	_, found := slices.BinarySearch(common(), lower)
	return found
}
