package config

import (
	"errors"
	"net/netip"
	"strings"
)

// List is a list of words, separated by commas, with spaces around them ignored.
type List []string

// UnmarshalText reads the comma-separated form.
func (l *List) UnmarshalText(text []byte) error {
	*l = nil
	for word := range strings.SplitSeq(string(text), ",") {
		if word = strings.TrimSpace(word); word != "" {
			*l = append(*l, word)
		}
	}
	return nil
}

// String returns the comma-separated form.
func (l List) String() string { return strings.Join(l, ",") }

// Networks is a list of IP networks; a bare address stands for the network that holds it alone.
type Networks []netip.Prefix

var errNetworks = errors.New("must be networks such as 10.0.0.0/8 or addresses, separated by commas")

// UnmarshalText reads the comma-separated form.
func (n *Networks) UnmarshalText(text []byte) error {
	var words List
	_ = words.UnmarshalText(text) // takes any text
	*n = nil
	for _, word := range words {
		prefix, err := netip.ParsePrefix(word)
		if err != nil {
			addr, err := netip.ParseAddr(word)
			if err != nil || addr.Zone() != "" {
				return errNetworks
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		*n = append(*n, prefix.Masked())
	}
	return nil
}

// String returns the comma-separated form.
func (n Networks) String() string {
	words := make(List, len(n))
	for i, prefix := range n {
		words[i] = prefix.String()
	}
	return words.String()
}
