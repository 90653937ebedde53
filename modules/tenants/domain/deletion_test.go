package domain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
)

func TestDeleteAndUndelete(t *testing.T) {
	later := now.Add(time.Hour)
	for _, tc := range []struct {
		name string
		kind tenants.Kind
		was  tenants.Status
		err  error
	}{
		{"active", tenants.Customer, tenants.Active, nil},
		{"suspended", tenants.Customer, tenants.Suspended, nil},
		{"not ready", tenants.Customer, tenants.Unfinished, domain.ErrStatus},
		{"deleted already", tenants.Customer, tenants.Deleting, domain.ErrStatus},
		{"the operator's own", tenants.Landlord, tenants.Active, domain.ErrLandlordStays},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := domain.Tenant{Tenant: tenants.Tenant{ID: one, Kind: tc.kind, Status: tc.was}}
			deleted, d, err := before.Delete(24*time.Hour, now)
			if !errors.Is(err, tc.err) {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				return
			}
			if deleted.Status != tenants.Deleting || deleted.UpdatedAt != now || d != (domain.Deletion{TenantID: one, Was: tc.was, DeletedAt: now, EraseAfter: now.Add(24 * time.Hour)}) {
				t.Errorf("deleted %+v, %+v", deleted, d)
			}
			back, err := deleted.Undelete(d, later)
			if err != nil || back.Status != tc.was || back.UpdatedAt != later {
				t.Errorf("back %+v, %v", back, err)
			}
			if _, err := back.Undelete(d, later); !errors.Is(err, domain.ErrStatus) {
				t.Errorf("twice: %v", err)
			}
		})
	}
}
