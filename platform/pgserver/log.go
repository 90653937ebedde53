package pgserver

import (
	"io"
	"os"
	"strings"
)

const (
	// logLimit is the size in bytes above which a start begins a new log; the
	// one before is kept under the name postgres.log.old.
	logLimit = 16 << 20
	// tailLines and tailBytes bound what an error quotes of the log.
	tailLines = 20
	tailBytes = 16 << 10
)

// openLog opens the log for appending. The file stays ours: the server inherits
// the open descriptor and needs no access to the directory.
func openLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// tail returns the last lines of a log from offset on.
func tail(path string, offset int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil && end-offset > tailBytes {
		offset = end - tailBytes
	}
	text, _ := io.ReadAll(io.NewSectionReader(f, offset, tailBytes))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
