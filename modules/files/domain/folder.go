package domain

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/insulahq/insula/platform/page"
)

// Bounds of the path of a folder. A folder and a name together are a place in a
// list, however long the name is: page.MaxText.
const (
	maxFolder      = 1000 // characters
	maxFolderBytes = page.MaxText - maxName*utf8.UTFMax
	maxDepth       = 20 // folders
)

// MaxPath is the greatest length of a folder and a name together, in
// characters.
const MaxPath = maxFolder + maxName

// ParseFolder is CleanFolder for what a request gives in a place: ErrInvalid
// says what is wrong there.
func ParseFolder(place, path string) (string, error) {
	clean, flaw := CleanFolder(path)
	if flaw != "" {
		return "", ErrInvalid.At(place, flaw)
	}
	return clean, nil
}

// CleanFolder brings the path of a folder into its one form and says what is
// wrong with it, "" when nothing is: "" is the root, "a/b/" is b inside a. A
// folder is nothing but the beginning that the paths of its files share, so
// there are no empty ones.
func CleanFolder(path string) (clean, flaw string) {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return "", ""
	}
	names := strings.Split(path, "/")
	if len(names) > maxDepth {
		return path, "is more than 20 folders deep"
	}
	for i, name := range names {
		if names[i], flaw = cleanName(name); flaw != "" {
			return path, "has a folder name that " + flaw
		}
	}
	clean = strings.Join(names, "/") + "/"
	switch {
	case utf8.RuneCountInString(clean) > maxFolder:
		return path, "has more than 1000 characters"
	case len(clean) > maxFolderBytes:
		return path, fmt.Sprintf("has more than %d bytes in UTF-8", maxFolderBytes)
	}
	return clean, ""
}
