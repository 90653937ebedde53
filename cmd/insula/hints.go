package main

// hints say what to do about a refusal, by its code.
var hints = map[string]string{
	"tenants.not_found":           "insula tenant list names the tenants there are; before the first, insula tenant create --kind operator",
	"tenants.busy":                "insula tenant backups SLUG shows a backup that is running; insula tenant follow OPERATION-ID waits for it",
	"tenants.backup_not_found":    "insula tenant backups SLUG names those there are",
	"tenants.backup_not_complete": "insula tenant backups SLUG shows which are complete",
	"tenants.backup_in_use":       "try again when the restore is over",
	"tenants.status":              "insula tenant resume or insula tenant undelete bring a tenant back that was suspended or deleted",
	"tenants.slug_taken":          "choose another slug",
}
