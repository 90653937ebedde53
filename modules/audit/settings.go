package audit

import (
	"time"

	"github.com/insulahq/insula/platform/setting"
)

// century is for ever, for something that is given as a time.
const century = 100 * 365 * 24 * time.Hour

// What can be adjusted of a tenant's trail. It is the operator's to decide how
// soon evidence is made and how long it is kept: who holds a tenant could
// otherwise put off the one, and shorten the time until what they did is gone.
// More copies of it are the tenant's own affair.
var (
	SealEvery = setting.OfDuration("audit.seal_every",
		"How long new records wait to be sealed together.",
		time.Second, time.Hour, setting.From("INSULA_AUDIT_SEAL_EVERY"), setting.ByOperator)
	SealBatch = setting.OfInt("audit.seal_batch",
		"Greatest number of records that are sealed together, under one signed head.",
		1, 10_000, setting.Unit("records"), setting.From("INSULA_AUDIT_SEAL_BATCH"), setting.ByOperator)
	Forward = setting.OfBool("audit.forward",
		"Also keep the records themselves in the object store, beside their signed heads, from the next batch on.",
		setting.From("INSULA_AUDIT_FORWARD"))
	Retention = setting.OfDuration("audit.retention",
		"How long records are kept before they are removed. 0s: for ever. Less than a day is taken for a day.",
		0, century, setting.From("INSULA_AUDIT_RETENTION"), setting.ByOperator)
	LegalHold = setting.OfBool("audit.legal_hold",
		"Remove no records, whatever their age.", setting.From("INSULA_AUDIT_LEGAL_HOLD"), setting.ByOperator)
)
