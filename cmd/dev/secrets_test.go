package main

import (
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsAreMadeOnceAndKeptPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.env")
	first, err := loadSecrets(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, name := range secretNames {
		value := first[name]
		if other, twice := seen[value]; twice {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[value] = name
		if name != secretS3Access && len(value) < 24 {
			t.Errorf("%s has %d characters", name, len(value))
		}
	}
	for _, name := range []string{secretKey, secretPepper} {
		if raw, err := base64.StdEncoding.DecodeString(first[name]); err != nil || len(raw) != 32 {
			t.Errorf("%s holds %d bytes, error %v; want 32", name, len(raw), err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	second, err := loadSecrets(path)
	if err != nil || !maps.Equal(first, second) {
		t.Errorf("second start has other secrets, error %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, error %v; want 0600", info.Mode(), err)
	}
}

func TestSecretsOfAnOlderVersionAreCompleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.env")
	if err := os.WriteFile(path, []byte("# old\nREDIS_PASSWORD=kept\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := loadSecrets(path)
	if err != nil || got[secretRedis] != "kept" || got[secretKey] == "" {
		t.Fatalf("secrets = %v, %v", got, err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "REDIS_PASSWORD=kept\n") || !strings.Contains(string(text), got[secretKey]) {
		t.Fatalf("file = %q, %v", text, err)
	}
}
