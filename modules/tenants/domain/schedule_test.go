package domain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/tenants/domain"
)

// scheduled is a backup that was begun some time ago, and is of that instant.
func scheduled(status domain.BackupStatus, ago time.Duration) domain.Backup {
	b := domain.Backup{ID: uuid.New(), Status: status, Reason: domain.BySchedule, CreatedAt: now.Add(-ago), UpdatedAt: now.Add(-ago)}
	b.At = b.CreatedAt
	return b
}

func TestDue(t *testing.T) {
	tenant, daily := uuid.New(), domain.Schedule{Every: 24 * time.Hour, Keep: 1}
	for name, tc := range map[string]struct {
		s    domain.Schedule
		made []domain.Backup
		want bool
	}{
		"never":                       {domain.Schedule{}, nil, false},
		"the first":                   {daily, nil, true},
		"the last is long ago":        {daily, []domain.Backup{scheduled(domain.BackupComplete, 24*time.Hour+time.Second)}, true},
		"the last was just made":      {daily, []domain.Backup{scheduled(domain.BackupComplete, 0)}, false},
		"one is being made":           {daily, []domain.Backup{scheduled(domain.BackupRunning, 48*time.Hour)}, false},
		"the last failed just now":    {daily, []domain.Backup{scheduled(domain.BackupFailed, 0)}, false},
		"the last failed an hour ago": {daily, []domain.Backup{scheduled(domain.BackupFailed, time.Hour)}, true},
		"the last was removed":        {daily, []domain.Backup{scheduled(domain.BackupDeleting, 0)}, false},
	} {
		if got := tc.s.Due(tenant, tc.made, now); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestDueOncePerPeriod follows a schedule for a while with looks at any times:
// there is one backup for each period, and none for what was missed.
func TestDueOncePerPeriod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tenant uuid.UUID
		copy(tenant[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "tenant"))
		s := domain.Schedule{Every: time.Duration(rapid.Int64Range(1, int64(90*24*time.Hour)).Draw(t, "every"))}
		at, last := now, time.Time{}
		for range rapid.IntRange(1, 50).Draw(t, "looks") {
			at = at.Add(time.Duration(rapid.Int64Range(0, 3*int64(s.Every)).Draw(t, "later")))
			var made []domain.Backup
			if !last.IsZero() {
				made = []domain.Backup{{Status: domain.BackupComplete, CreatedAt: last}}
			}
			due := s.Due(tenant, made, at)
			if !last.IsZero() && !due && at.Sub(last) > s.Every {
				t.Fatalf("none for %s", at.Sub(last))
			}
			if due {
				last = at
				if s.Due(tenant, []domain.Backup{{Status: domain.BackupComplete, CreatedAt: at}}, at) {
					t.Fatal("two at once")
				}
			}
		}
	})
}

// TestTenantsAreSpread: of many tenants about as many are due in each hour.
func TestTenantsAreSpread(t *testing.T) {
	s, hours := domain.Schedule{Every: 24 * time.Hour}, [24]int{}
	for range 2400 {
		tenant := uuid.Must(uuid.NewV7())
		for h := range hours {
			made := []domain.Backup{{Status: domain.BackupComplete, CreatedAt: now.Add(time.Duration(h) * time.Hour)}}
			if s.Due(tenant, made, now.Add(time.Duration(h+1)*time.Hour)) {
				hours[h]++
			}
		}
	}
	if slices.Min(hours[:]) < 50 || slices.Max(hours[:]) > 150 {
		t.Errorf("of 2400 tenants %v are due in each hour", hours)
	}
}

func TestSurplus(t *testing.T) {
	const day = 24 * time.Hour
	complete, failed := domain.BackupComplete, domain.BackupFailed
	type kept = []domain.Backup
	for name, tc := range map[string]struct {
		s    domain.Schedule
		made kept
		want []int // places of those that go
	}{
		"beyond the number":        {domain.Schedule{Keep: 2}, kept{scheduled(complete, 0), scheduled(complete, day), scheduled(complete, 2*day)}, []int{2}},
		"too old":                  {domain.Schedule{Keep: 9, KeepFor: 36 * time.Hour}, kept{scheduled(complete, 0), scheduled(complete, day), scheduled(complete, 2*day)}, []int{2}},
		"the last good one stays":  {domain.Schedule{Keep: 1, KeepFor: day}, kept{scheduled(failed, 0), scheduled(complete, 9*day), scheduled(complete, 10*day)}, []int{2}},
		"what failed goes in time": {domain.Schedule{Keep: 5}, kept{scheduled(failed, 0), scheduled(complete, day), scheduled(failed, 2*day)}, []int{2}},
		"what is under way stays":  {domain.Schedule{Keep: 1}, kept{scheduled(domain.BackupRunning, 0), scheduled(complete, day), scheduled(domain.BackupDeleting, 2*day)}, nil},
		"none":                     {domain.Schedule{Keep: 1}, nil, nil},
	} {
		var want []uuid.UUID
		for _, i := range tc.want {
			want = append(want, tc.made[i].ID)
		}
		var got []uuid.UUID
		for _, b := range tc.s.Surplus(tc.made, now) {
			got = append(got, b.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v go, want %v", name, got, want)
		}
	}
}
