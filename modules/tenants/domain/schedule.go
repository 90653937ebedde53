package domain

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// Schedule says how often a tenant is backed up by itself, and how much of
// that is kept.
type Schedule struct {
	Every   time.Duration // 0: never
	Keep    int           // at most so many, at least one
	KeepFor time.Duration // 0: whatever their age
}

// retryAfter is how long after one that failed the next backup is tried, if it
// is not time for it before.
const retryAfter = time.Hour

// Due reports whether it is time for a backup of a tenant, of which made are
// those made by the schedule, newest first. The first is due at once. The others
// are due at instants that lie as far apart as Every says, and for each tenant
// elsewhere in between: not everybody is backed up at midnight. What was missed
// while nothing ran is made up for once.
func (s Schedule) Due(tenant uuid.UUID, made []Backup, now time.Time) bool {
	switch {
	case s.Every <= 0:
		return false
	case len(made) == 0:
		return true
	case made[0].Status == BackupRunning:
		return false
	case made[0].Status == BackupFailed && now.Sub(made[0].UpdatedAt) >= min(retryAfter, s.Every):
		return true
	}
	return made[0].CreatedAt.Before(s.last(tenant, now))
}

// last is the last instant, now at the latest, at which a backup was due.
func (s Schedule) last(tenant uuid.UUID, now time.Time) time.Time {
	random := binary.BigEndian.Uint64(tenant[8:]) << 2 >> 2 // without the two bits that all ids share
	phase := time.Duration(random % uint64(s.Every))
	return now.Add(-(time.Duration(now.UnixNano()) - phase) % s.Every)
}

// Surplus are the backups beyond what is kept, of those made by the schedule,
// newest first. The newest complete one always stays, and so do those that are
// being made. One that failed stays until a later one is complete.
func (s Schedule) Surplus(made []Backup, now time.Time) (surplus []Backup) {
	good := 0
	for _, b := range made {
		switch b.Status {
		case BackupComplete:
			good++
			old := s.KeepFor > 0 && now.Sub(b.At) > s.KeepFor
			if good > 1 && (good > s.Keep || old) {
				surplus = append(surplus, b)
			}
		case BackupFailed:
			if good > 0 {
				surplus = append(surplus, b)
			}
		case BackupRunning, BackupDeleting:
		}
	}
	return surplus
}
