package pgserver

import "syscall"

// nobodyID is the id under which root appears inside the user namespace. It
// needs an entry in the passwd file, and this one has it nearly everywhere.
const nobodyID = 65534

// namespaceAccounts runs children in a user namespace of their own, where
// root's files belong to nobody and root's powers are gone.
func namespaceAccounts() []account {
	return []account{{
		uid: 0, gid: 0, describe: "in a user namespace",
		apply: func(attr *syscall.SysProcAttr) {
			attr.Cloneflags |= syscall.CLONE_NEWUSER
			attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobodyID, HostID: 0, Size: 1}}
			attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobodyID, HostID: 0, Size: 1}}
			attr.GidMappingsEnableSetgroups = false
		},
	}}
}
