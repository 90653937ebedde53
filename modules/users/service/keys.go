package service

import "github.com/insulahq/insula/platform/op"

// RotateKeys is what the operator does to the keys that sign access tokens. The
// keys are the installation's, not a tenant's: the command line makes the next
// one, and the operator's trail tells of it.
var RotateKeys = op.Job("auth.keys.rotate", "Make the next key that signs access tokens.", op.About("signing_key"))
