//go:build !linux

package pgserver

import "syscall"

// namespaceAccounts is empty: user namespaces are Linux's alone.
func namespaceAccounts() []account { return nil }

// dieWithParent does nothing: only Linux signals a child when its parent dies.
// A server left behind is found and stopped by the next start.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
