package files

import (
	"time"

	"github.com/insulahq/insula/platform/setting"
)

const (
	exbibyte = 1 << 60
	day      = 24 * time.Hour
)

// What can be adjusted of a tenant's files. How much room a tenant has is the
// operator's to say.
var (
	QuotaBytes = setting.OfInt("files.quota_bytes",
		"Bytes that all files may have together, versions, open uploads and deleted files included.",
		0, exbibyte, setting.Unit("bytes"), setting.From("INSULA_FILES_QUOTA_BYTES"), setting.ByOperator)
	QuotaCount = setting.OfInt("files.quota_count",
		"How many files there may be, counted in the same way.",
		0, 1_000_000_000, setting.Unit("files"), setting.From("INSULA_FILES_QUOTA_COUNT"), setting.ByOperator)
	MaxBytes = setting.OfInt("files.max_bytes",
		"Greatest size of one file; never more than the installation takes.",
		1, exbibyte, setting.Unit("bytes"), setting.From("INSULA_MAX_FILE_BYTES"))
	Types = setting.OfList("files.types",
		"Content types that are taken, such as image/* or application/pdf. None: all.", 100, 100, setting.From("INSULA_FILES_TYPES"))
	Retention = setting.OfDuration("files.retention",
		"How long a deleted file can be brought back.", 0, 3650*day, setting.From("INSULA_FILES_RETENTION"))
	Downloads = setting.OfWord("files.downloads",
		"Whether content passes through the server or readers are sent to the object store.",
		[]string{ThroughServer, ByRedirect}, setting.From("INSULA_FILES_REDIRECT"))
)

// How content is read.
const (
	ThroughServer = "server"
	ByRedirect    = "redirect"
)
