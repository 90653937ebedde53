package service

import "github.com/insulahq/insula/platform/op"

// Operations are all operations of the module.
var Operations = []op.Def{
	ListPermissions, CreatePermission, DeletePermission,
	List, Get, Create, Update, Delete,
	Check, Explain,
}
