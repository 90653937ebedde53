package httpx

import "strings"

// Attachment is the Content-Disposition of a file to be saved under a name
// (RFC 6266). The name is given twice: as plain ASCII for old clients, with an
// underscore for everything that could be misread, and whole in the form of
// RFC 8187 where that loses something.
func Attachment(name string) string {
	plain := plainName(name)
	header := `attachment; filename="` + plain + `"`
	if plain != name {
		header += "; filename*=UTF-8''" + percentEncoded(name)
	}
	return header
}

// plainName keeps letters, digits and a few signs that no client treats
// specially inside a quoted string.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if isAlphanumeric(r) || strings.ContainsRune(" !#$&()+,-.;=@[]^_`{}~'", r) {
			return r
		}
		return '_'
	}, name)
}

// percentEncoded is the value-chars of RFC 8187 for a name in UTF-8.
func percentEncoded(name string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(name) {
		if isAlphanumeric(rune(c)) || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
