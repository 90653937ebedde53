package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/errs"
)

// policy allows files of a hundred bytes.
var policy = domain.Policy{
	MaxBytes: 100, QuotaBytes: 1000, QuotaFiles: 10, Retention: time.Hour, UploadTTL: time.Hour, LinkTTL: time.Minute,
	Direct: true, SinglePut: 10, PartSize: 4, Inline: 50,
}

var (
	now    = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	fileID = uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-000000000001")
	owner  = uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-000000000002")
	object = uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-000000000003")
)

func TestDeclare(t *testing.T) {
	for _, tc := range []struct {
		name, fileName, contentType string
		size                        int64
		wantType                    string
		want                        *errs.Error
		pointers                    string
	}{
		{"plain", "a.txt", "text/plain", 5, "text/plain", nil, ""},
		{"type in one form", "a.txt", "Text/HTML;  Charset=utf-8", 5, "text/html; charset=utf-8", nil, ""},
		{"no type", "a", "", 5, "application/octet-stream", nil, ""},
		{"empty", "a", "", 0, "application/octet-stream", nil, ""},
		{"as large as allowed", "a", "", 100, "application/octet-stream", nil, ""},
		{"too large", "a", "", 101, "", domain.ErrTooLarge, "#/size"},
		{"negative", "a", "", -1, "", domain.ErrInvalid, "#/size"},
		{"no type at all", "a", "nonsense nonsense", 1, "", domain.ErrInvalid, "#/content_type"},
		{"type with a break", "a", "text/plain\r\nX: y", 1, "", domain.ErrInvalid, "#/content_type"},
		{"endless type", "a", "text/" + strings.Repeat("x", 300), 1, "", domain.ErrInvalid, "#/content_type"},
		{"everything wrong", "", "/", -1, "", domain.ErrInvalid, "#/name #/size #/content_type"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, _, err := domain.Declare(fileID, object, owner, domain.Declaration{
				Name: tc.fileName, Size: tc.size, ContentType: tc.contentType,
			}, policy, now)
			if tc.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				if f.ContentType != tc.wantType || f.Status != domain.Pending || f.Version != 1 || f.OwnerID != owner || f.Object != uuid.Nil {
					t.Errorf("declared %+v", f)
				}
				return
			}
			e, ok := errs.As(err)
			if !ok || !errors.Is(err, tc.want) {
				t.Fatalf("got %v", err)
			}
			var pointers []string
			for _, field := range e.Fields {
				pointers = append(pointers, field.Pointer)
			}
			if got := strings.Join(pointers, " "); got != tc.pointers {
				t.Errorf("names %q", got)
			}
		})
	}
}

func pending(t *testing.T, size int64) domain.File {
	t.Helper()
	f, _, err := domain.Declare(fileID, object, owner, domain.Declaration{Name: "a", Size: size}, policy, now)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOnlyPendingFilesExpectContentOfTheirSize(t *testing.T) {
	for _, status := range []domain.Status{domain.Pending, domain.Scanning, domain.Ready, domain.Quarantined, domain.Deleted} {
		f := pending(t, 5)
		f.Status = status
		for length, want := range map[int64]error{5: nil, -1: nil, 0: domain.ErrSize, 6: domain.ErrSize} {
			if status != domain.Pending {
				want = domain.ErrFilled
			}
			if err := f.Expects(length); !errors.Is(err, want) {
				t.Errorf("%s, %d bytes: %v", status, length, err)
			}
		}
		if err := f.Readable(); (err == nil) != (status == domain.Ready) {
			t.Errorf("%s readable: %v", status, err)
		}
	}
}

func TestFill(t *testing.T) {
	f := pending(t, 5)
	content := domain.Content{Size: 5, ContentType: "image/png", SHA256: []byte("sum")}
	later := now.Add(time.Hour)
	filled, err := f.Fill(content, object, later)
	if err != nil {
		t.Fatal(err)
	}
	if filled.Status != domain.Ready || filled.ContentType != "image/png" || filled.Object != object || filled.UpdatedAt != later || filled.CreatedAt != now {
		t.Errorf("filled %+v", filled)
	}
	if _, err := filled.Fill(content, object, later); !errors.Is(err, domain.ErrFilled) {
		t.Errorf("filled twice: %v", err)
	}
	content.Size = 4
	if got, err := f.Fill(content, object, later); !errors.Is(err, domain.ErrSize) || got.Status != domain.Pending {
		t.Errorf("filled with less: %v, %v", got.Status, err)
	}
}

func TestAt(t *testing.T) {
	f := pending(t, 5)
	for version, want := range map[int64]error{domain.AnyVersion: nil, 1: nil, 2: errs.ErrPreconditionFailed} {
		if err := f.At(version); !errors.Is(err, want) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

func TestSpec(t *testing.T) {
	f := pending(t, 5)
	f.Name, f.Folder, f.ContentType = "résumé.txt", "a/b/", "text/plain; charset=utf-8"
	folder := func(path string) *string { return &path }
	for i, tc := range []struct {
		change  func(*domain.Spec)
		matches bool
	}{
		{func(*domain.Spec) {}, true},
		{func(s *domain.Spec) { s.Status = domain.Pending }, true},
		{func(s *domain.Spec) { s.Status = domain.Ready }, false},
		{func(s *domain.Spec) { s.NamePrefix = "rés" }, true},
		{func(s *domain.Spec) { s.NamePrefix = "re\u0301s" }, true}, // the other spelling of é
		{func(s *domain.Spec) { s.NamePrefix = "Rés" }, false},
		{func(s *domain.Spec) { s.NamePrefix = "sumé" }, false},
		{func(s *domain.Spec) { s.Folder = folder("/a/b") }, true},
		{func(s *domain.Spec) { s.Folder = folder("a") }, false},
		{func(s *domain.Spec) { s.Folder = folder("/") }, false},
		{func(s *domain.Spec) { s.Below = "a" }, true},
		{func(s *domain.Spec) { s.Below = "a/bc" }, false},
		{func(s *domain.Spec) { s.TypePrefix = "Text/*" }, true},
		{func(s *domain.Spec) { s.TypePrefix = "image/" }, false},
		{func(s *domain.Spec) { s.OwnerID = owner }, true},
		{func(s *domain.Spec) { s.OwnerID = fileID }, false},
		{func(s *domain.Spec) { s.MinSize, s.MaxSize = 5, 5 }, true},
		{func(s *domain.Spec) { s.MinSize = 6 }, false},
		{func(s *domain.Spec) { s.MaxSize = 4 }, false},
		{func(s *domain.Spec) { s.From = now }, true},
		{func(s *domain.Spec) { s.To = now }, false},
	} {
		s := domain.AnySpec()
		tc.change(&s)
		s, err := s.Clean()
		if err != nil || s.Matches(f) != tc.matches {
			t.Errorf("%d: %+v: %v, %v", i, s, s.Matches(f), err)
		}
	}
	if domain.AnySpec().Matches(f.Supersede(now)) || domain.AnySpec().Matches(f.Bin(now)) {
		t.Error("earlier versions and deleted files are listed")
	}
	for _, bad := range []domain.Spec{
		{NamePrefix: "\x00"}, {NamePrefix: "a\n"}, {NamePrefix: "\xff"}, {NamePrefix: "\u202e"}, {TypePrefix: "\x00"}, {Below: "a//b"}, {Folder: folder("..")},
	} {
		if _, err := bad.Clean(); !errors.Is(err, domain.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestAFindingIsNoCode, however a scanner spells it.
func TestAFindingIsNoCode(t *testing.T) {
	t.Parallel()
	f, err := domain.File{Status: domain.Scanning}.Quarantine(domain.Content{}, domain.ReasonLost, time.Time{})
	if err != nil || f.Lost() || !errors.Is(f.Readable(), domain.ErrQuarantined) || !strings.Contains(f.Reason, domain.ReasonLost) {
		t.Errorf("%+v, %v, lost: %t", f, err, f.Lost())
	}
	if f, err = (domain.File{Status: domain.Scanning}).Quarantine(domain.Content{}, "Worm.Test", time.Time{}); err != nil || f.Reason != "Worm.Test" {
		t.Errorf("%+v, %v", f, err)
	}
}
