package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Names of the generated secrets.
const (
	secretPGSuperuser = "PG_SUPERUSER_PASSWORD"
	secretPGApp       = "PG_APP_PASSWORD"
	secretPGMigrator  = "PG_MIGRATOR_PASSWORD"
	secretRedis       = "REDIS_PASSWORD"
	secretS3Access    = "S3_ACCESS_KEY"
	secretS3Secret    = "S3_SECRET_KEY"
	secretSMTP        = "SMTP_PASSWORD"
	secretKey         = "INSULA_SECRET_KEY"
	secretPepper      = "INSULA_PASSWORD_PEPPER"
	secretOperator    = "DEMO_OPERATOR_PASSWORD"
	secretAcme        = "DEMO_ACME_PASSWORD"
	secretGlobex      = "DEMO_GLOBEX_PASSWORD"
)

// secretNames is the order in the file.
var secretNames = []string{
	secretPGSuperuser, secretPGApp, secretPGMigrator, secretRedis, secretS3Access, secretS3Secret,
	secretSMTP, secretKey, secretPepper, secretOperator, secretAcme, secretGlobex,
}

// secrets maps names to values.
type secrets map[string]string

// loadSecrets reads the file of generated secrets. What is missing is made and
// added: all of it at the first start, a new name after an update.
func loadSecrets(path string) (secrets, error) {
	out := secrets{}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			out[name] = value
		}
	}
	missing := false
	for _, name := range secretNames {
		if out[name] == "" {
			out[name], missing = newSecret(name), true
		}
	}
	if !missing {
		// Somebody may have copied the directory without its permissions.
		return out, os.Chmod(path, 0o600)
	}
	var file bytes.Buffer
	file.WriteString("# Made by cmd/dev for this directory alone. Removing it makes the data beside it unusable.\n")
	for _, name := range secretNames {
		fmt.Fprintf(&file, "%s=%s\n", name, out[name])
	}
	return out, writePrivate(path, file.Bytes())
}

// newSecret makes a value of the form its name asks for: keys are 32 bytes in
// base64, everything else 32 letters of 6 bits that need no quoting in a URL.
func newSecret(name string) string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails, by its documentation
	switch name {
	case secretKey, secretPepper:
		return base64.StdEncoding.EncodeToString(raw)
	case secretS3Access:
		return "DEV" + rand.Text()[:17]
	}
	return base64.RawURLEncoding.EncodeToString(raw[:24])
}

// writePrivate replaces a file that only its owner may read. A crash leaves the
// old file or the new one, never half of one.
func writePrivate(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // made with 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already unless something failed
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
