// Package service holds the operations of the users module: the users of a
// tenant as those see them who manage them (Users), the ways in and out
// (Auth), and what everybody can do about their own account (Me).
package service

import "github.com/insulahq/insula/platform/op"

// Operations are all operations of the module.
var Operations = []op.Def{
	Create, Get, List, Update, Suspend, Resume, Delete, SetRoles,
	ListSessions, EndSession, EndSessions,
	Invite, ListInvitations, ResendInvitation, RevokeInvitation,
	CreateAPIKey, ListAPIKeys, RevokeAPIKey,
	Login, Verify, Refresh, Logout, AcceptInvitation, ForgotPassword, ResetPassword, ConfirmEmail,
	GetMe, UpdateMe, SetMyPassword, ChangeMyEmail, ListMySessions, EndMySession,
	SetUpSecondFactor, ConfirmSecondFactor, RemoveSecondFactor, RenewRecoveryCodes,
	DeliverMail, OfferReset, RotateKeys,
}
