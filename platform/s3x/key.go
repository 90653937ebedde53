package s3x

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/id"
)

// Key names an object: <tenant id>/<file id>, <tenant id>/audit/<sort>/<number> for evidence of the audit
// trail, or backups/<id> for an archive, which outlives its tenant. Only TenantKey, EvidenceKey and ArchiveKey
// make one, so no name that a caller chose becomes part of it, no key is the directory of another, and a file
// can never take the place of evidence.
type Key struct {
	tenant, file uuid.UUID
	evidence     Evidence
	number       int64
	archive      uuid.UUID
}

// Evidence is a sort of objects that an audit trail leaves outside the database, numbered from 1.
type Evidence string

// The sorts of evidence.
const (
	Heads   Evidence = "heads"   // signed heads of the tree, by its size
	Records Evidence = "records" // sealed records, by the size of the tree with them
)

// TenantKey is the key of one file of one tenant. It panics without either, a mistake of the program that
// would mix what belongs to different tenants.
func TenantKey(tenantID, fileID uuid.UUID) Key {
	if tenantID == uuid.Nil || fileID == uuid.Nil {
		panic("s3x: key without tenant or file")
	}
	return Key{tenant: tenantID, file: fileID}
}

// EvidenceKey is the key of one piece of evidence of one tenant. It panics without a tenant, for an unknown
// sort and for a number below 1: mistakes of the program.
func EvidenceKey(tenantID uuid.UUID, e Evidence, number int64) Key {
	if tenantID == uuid.Nil || e != Heads && e != Records || number < 1 {
		panic("s3x: key of no evidence")
	}
	return Key{tenant: tenantID, evidence: e, number: number}
}

// archiveFolder is no tenant's: what removes all that a tenant has leaves its archives.
const archiveFolder = "backups/"

// ArchiveKey is the key of an archive. It panics without an id, a mistake of the program.
func ArchiveKey(archiveID uuid.UUID) Key {
	if archiveID == uuid.Nil {
		panic("s3x: key of no archive")
	}
	return Key{archive: archiveID}
}

// String returns the key as S3 sees it. Numbers have a fixed width, so that their order is that of the keys.
func (k Key) String() string {
	if k.archive != uuid.Nil {
		return archiveFolder + k.archive.String()
	}
	if k.evidence != "" {
		return evidencePrefix(k.tenant, k.evidence) + fmt.Sprintf("%019d", k.number)
	}
	return k.tenant.String() + "/" + k.file.String()
}

// Tenant returns the tenant the object belongs to; uuid.Nil for an archive.
func (k Key) Tenant() uuid.UUID { return k.tenant }

// File returns the id of the file; uuid.Nil for evidence and archives.
func (k Key) File() uuid.UUID { return k.file }

// Evidence returns the sort and the number of a piece of evidence; ok is false for a file.
func (k Key) Evidence() (e Evidence, number int64, ok bool) {
	return k.evidence, k.number, k.evidence != ""
}

const evidenceFolder = "audit/"

func evidencePrefix(tenantID uuid.UUID, e Evidence) string {
	return tenantID.String() + "/" + evidenceFolder + string(e) + "/"
}

// isEvidence recognises the key of a listed object that is no file.
func isEvidence(text string) bool {
	_, rest, _ := strings.Cut(text, "/")
	return strings.HasPrefix(rest, evidenceFolder)
}

// parseNumber reads the number back from the key of a listed piece of evidence.
func parseNumber(text string) (int64, error) {
	number, err := strconv.ParseInt(text[strings.LastIndexByte(text, '/')+1:], 10, 64)
	if err != nil || number < 1 {
		return 0, fmt.Errorf("object %q: not a number of evidence", text)
	}
	return number, nil
}

// parseKey reads back the key of a listed file.
func parseKey(text string) (Key, error) {
	tenant, file, _ := strings.Cut(text, "/")
	tenantID, err := id.Parse(tenant)
	if err != nil {
		return Key{}, fmt.Errorf("object %q: %w", text, err)
	}
	fileID, err := id.Parse(file)
	if err != nil {
		return Key{}, fmt.Errorf("object %q: %w", text, err)
	}
	return TenantKey(tenantID, fileID), nil
}
