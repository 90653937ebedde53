package service

import "github.com/insulahq/insula/platform/op"

// Operations are all operations of the module.
var Operations = []op.Def{List, Get, Key, Verify, Export, Stream, Ticket, Follow, Seal, Publish, Age, Expire}
