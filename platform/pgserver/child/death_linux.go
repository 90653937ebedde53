package child

import "syscall"

// dieWithParent asks the kernel to send sig when the thread that starts the
// child ends, which with a locked thread means: when this process ends.
func dieWithParent(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }
