package pg

import (
	"fmt"
	"io/fs"
	"strconv"

	"github.com/insulahq/insula/platform/pg/migrate"
)

// Floor is the oldest version of a tenant's schema that a binary with these
// migrations serves: the one before its newest. During a fleet migration the
// tenants that are still to come work on; code must therefore do without what
// the newest migration brings until the next one. Below the floor there is
// nothing to rely on. Zero, when there are not two versions yet, lets all in.
func Floor(tenant fs.FS) (int64, error) {
	d, err := migrate.Load(tenant)
	if err != nil {
		return 0, fmt.Errorf("tenant migrations: %w", err)
	}
	return number(d.Previous())
}

// number is a version as the control schema keeps it: migrations are named by
// the time they were written, in digits, so it compares as a number; 0 is the
// version of an empty schema.
func number(version string) (int64, error) {
	if version == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("migration version %q is not a number", version)
	}
	return n, nil
}

// text is number backwards.
func text(version int64) string {
	if version == 0 {
		return ""
	}
	return strconv.FormatInt(version, 10)
}

func numbered(d *migrate.Dir) error {
	for _, v := range d.Versions() {
		if _, err := number(v); err != nil {
			return err
		}
	}
	return nil
}
