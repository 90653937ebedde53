package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// long keeps a test that takes minutes out of the usual run.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("INSULA_TEST_LONG") == "" {
		t.Skip("set INSULA_TEST_LONG=1 for tests that take minutes")
	}
}

// bulk is a content of any size that nobody has to hold: every part of it can
// be made again.
type bulk struct{ size, part int64 }

func (b bulk) reader(number int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{byte(number), byte(number >> 8), 1}), b.length(number))
}

func (b bulk) length(number int64) int64 { return min(b.part, b.size-(number-1)*b.part) }

func (b bulk) parts() int64 { return (b.size + b.part - 1) / b.part }

func (b bulk) sum(t *testing.T) string {
	t.Helper()
	sum := sha256.New()
	for n := range b.parts() {
		must(io.Copy(sum, b.reader(n+1)))(t)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// TestAGibibyteInParts sends 1 GiB in parts, loses the connection in the middle
// of one and the server with it, goes on with what is missing, and reads all of
// it back through the server, whose memory does not grow with the file.
func TestAGibibyteInParts(t *testing.T) {
	long(t)
	const size, most = 1 << 30, 160 << 20
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t, fmt.Sprintf("INSULA_MAX_FILE_BYTES=%d", size))
	n := s.found(t, v).newTenant(t, "gibibyte")
	content := bulk{size: size, part: 16 << 20}
	sum := content.sum(t)
	began := time.Now()
	f := declare(t, n.owner, "name", "big.bin", "size", size, "sha256", sum)
	if f.Upload.Method != "multipart" || f.Upload.PartSize != content.part || int64(f.Upload.PartCount) != content.parts() {
		t.Fatalf("declared %+v", f)
	}
	half := content.parts() / 2
	n.sendParts(t, f, content, 1, half)
	n.loseConnection(t, f, content, half+1)
	v.kill()
	v = s.serve(t, fmt.Sprintf("INSULA_MAX_FILE_BYTES=%d", size))
	n = n.at(v)
	before := v.peak(t)

	resumed := n.ask(t, f, nil)
	if int64(len(resumed.Upload.Arrived)) != half {
		t.Errorf("%d parts have arrived, not %d", len(resumed.Upload.Arrived), half)
	}
	n.owner.do(t, "POST", "/v1/files/"+f.ID+"/complete", "").refused(t, http.StatusConflict, "files.incomplete")
	n.sendParts(t, f, content, half+1, content.parts())
	n.owner.do(t, "POST", "/v1/files/"+f.ID+"/complete", "").want(t, http.StatusOK)
	sent := time.Since(began)
	eventually(t, 5*time.Minute, func() error {
		if got := n.owner.do(t, "GET", "/v1/files/"+f.ID, "").want(t, http.StatusOK).text(t, "status"); got != "ready" {
			return fmt.Errorf("it is %s", got)
		}
		return nil
	})
	examined := time.Since(began) - sent
	if got := n.sumOf(t, f.ID, v.api); got != sum {
		t.Errorf("it comes back as %s, not %s", got, sum)
	}
	after := v.peak(t)
	t.Logf("1 GiB: sent in %.1f s, read through and checked in %.1f s; the server's memory peaked at %d MiB, %d MiB before",
		sent.Seconds(), examined.Seconds(), after>>20, before>>20)
	if after > most {
		t.Errorf("the server took %d MiB", after>>20)
	}
}

// sendParts sends parts of a content, asking for some links at a time.
func (n tenant) sendParts(t *testing.T, f sending, content bulk, from, to int64) {
	t.Helper()
	for first := from; first <= to; first += 8 {
		var numbers []int32
		for number := first; number <= min(first+7, to); number++ {
			numbers = append(numbers, int32(number))
		}
		for _, p := range n.ask(t, f, numbers).Upload.Parts {
			p.Link.follow(t, content.reader(int64(p.Number)), p.Size).want(t, http.StatusOK)
		}
	}
}

// ask asks how to go on with an upload.
func (n tenant) ask(t *testing.T, f sending, numbers []int32) sending {
	t.Helper()
	return read[sending](t, n.owner.do(t, "POST", "/v1/files/"+f.ID+"/parts", object("numbers", append([]int32{}, numbers...))).want(t, http.StatusOK))
}

// loseConnection sends half of a part.
func (n tenant) loseConnection(t *testing.T, f sending, content bulk, number int64) {
	t.Helper()
	p := n.ask(t, f, []int32{int32(number)}).Upload.Parts[0]
	body := io.MultiReader(io.LimitReader(content.reader(number), p.Size/2), iotest.ErrReader(io.ErrClosedPipe))
	req := must(http.NewRequestWithContext(t.Context(), p.Link.Method, p.Link.URL, body))(t)
	req.ContentLength = p.Size
	if resp, err := web.Do(req); err == nil {
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("half a part was taken")
		}
	}
}

// sumOf is the SHA-256 of a content as it is read through the server.
func (n tenant) sumOf(t *testing.T, id, api string) string {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, api+"/v1/files/"+id+"/content", http.NoBody))(t)
	req.Header.Set("Authorization", "Bearer "+n.owner.token)
	resp := must(slow.Do(req))(t)
	defer resp.Body.Close()
	sum := sha256.New()
	must(io.Copy(sum, resp.Body))(t)
	return hex.EncodeToString(sum.Sum(nil))
}

// peak is the most memory that the server has had so far, in bytes.
func (v *server) peak(t *testing.T) int64 {
	t.Helper()
	text := must(os.ReadFile(fmt.Sprintf("/proc/%d/status", v.proc.PID())))(t)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return must(strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64))(t) << 10
		}
	}
	t.Fatal("the system does not tell how much memory the server has had")
	return 0
}
