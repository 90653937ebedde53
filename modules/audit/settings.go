package audit

import (
	"time"

	"github.com/insulahq/insula/platform/setting"
)

// century is for ever, for something that is given as a time.
const century = 100 * 365 * 24 * time.Hour

// What can be adjusted of a tenant's trail. It is the operator's to decide how
// long evidence is kept: who holds a tenant could otherwise shorten the time
// until what they did is gone.
var (
	Retention = setting.OfDuration("audit.retention",
		"How long records are kept before they are removed. 0s: for ever. Less than a day is taken for a day.",
		0, century, setting.From("INSULA_AUDIT_RETENTION"), setting.ByOperator)
	LegalHold = setting.OfBool("audit.legal_hold",
		"Remove no records, whatever their age.", setting.From("INSULA_AUDIT_LEGAL_HOLD"), setting.ByOperator)
)
