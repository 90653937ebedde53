package domain_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/secret"
)

func receiptKey(t *testing.T, seed byte) domain.ReceiptKey {
	t.Helper()
	root, err := secret.NewKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	key, err := domain.NewReceiptKey(root)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestReceipts(t *testing.T) {
	key := receiptKey(t, 1)
	want := domain.Receipt{
		Tenant: one, Slug: "acme", BegunAt: now, ErasedAt: now.Add(time.Minute),
		Holdings: domain.Holdings{Tables: 1, Rows: 2, DatabaseBytes: 3, Objects: 4, ObjectBytes: 5, Jobs: 6, ControlRows: 7},
	}
	signed, err := key.Sign(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := domain.OpenReceipt(signed.Note, receiptKey(t, 2).Public(), key.Public())
	if err != nil || got.Receipt != want || got.Note != signed.Note {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for name, note := range map[string]string{
		"a changed number":    strings.Replace(signed.Note, "rows 2", "rows 3", 1),
		"a changed signature": strings.Replace(signed.Note, "— insula-erasures A", "— insula-erasures B", 1) + "x",
		"no signature":        signed.Note[:strings.Index(signed.Note, "\n\n")+1],
		"nothing":             "",
	} {
		if _, err := domain.OpenReceipt(note, key.Public()); err == nil {
			t.Errorf("%s goes unnoticed", name)
		}
	}
	if _, err := domain.OpenReceipt(signed.Note, receiptKey(t, 2).Public()); err == nil {
		t.Error("the key of another installation opens it")
	}
}

func TestErase(t *testing.T) {
	deleted := domain.Tenant{Tenant: tenants.Tenant{Slug: "acme", Kind: tenants.Customer, Status: tenants.Deleting}}
	with := func(change func(*domain.Tenant)) domain.Tenant {
		other := deleted
		change(&other)
		return other
	}
	for name, tc := range map[string]struct {
		from domain.Tenant
		slug string
		err  error
	}{
		"deleted":      {deleted, "acme", nil},
		"another slug": {deleted, "globex", domain.ErrOtherSlug},
		"active":       {with(func(t *domain.Tenant) { t.Status = tenants.Active }), "acme", domain.ErrNotDeleted},
		"suspended":    {with(func(t *domain.Tenant) { t.Status = tenants.Suspended }), "acme", domain.ErrNotDeleted},
		"twice":        {with(func(t *domain.Tenant) { t.Status = tenants.Erasing }), "acme", domain.ErrNotDeleted},
		"the landlord": {with(func(t *domain.Tenant) { t.Kind = tenants.Landlord }), "acme", domain.ErrLandlord},
	} {
		got, err := tc.from.Erase(tc.slug, now)
		if !errors.Is(err, tc.err) || (err == nil) != (got.Status == tenants.Erasing && got.UpdatedAt.Equal(now)) && name != "twice" {
			t.Errorf("%s: %s, %v", name, got.Status, err)
		}
	}
}
