//go:build !linux

package pgserver

// namespaceAccounts is empty: user namespaces are Linux's alone.
func namespaceAccounts() []account { return nil }
