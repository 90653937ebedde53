package service

import "github.com/insulahq/insula/platform/op"

// Expire is the declaration of removing what is too old.
var Expire = op.Job("audit.expire", "Remove records of the trail that are older than the tenant keeps them.", op.About("audit_trail"))
