package e2e_test

import (
	"net/http"
	"net/url"
	"testing"
)

// TestS3AwayFromParts takes S3 away while a file is sent in parts: asking for
// links and completing are refused until it is back, and nothing of what has
// arrived is lost. Parts that do not make up the declared SHA-256 are thrown
// away, and the file waits again.
func TestS3AwayFromParts(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	u := must(url.Parse(s.parts["S3_ENDPOINT"]))(t)
	wire := newRelay(t, u.Host)
	u.Host = wire.addr
	n := s.found(t, s.serve(t, "S3_ENDPOINT="+u.String())).newTenant(t, "s3-parts")
	content := bulk{size: 33 << 20, part: 16 << 20}
	f := declare(t, n.owner, "name", "good", "size", content.size, "sha256", content.sum(t))
	if f.Upload.Method != "multipart" || f.Upload.PartSize != content.part {
		t.Fatalf("declared %+v", f)
	}
	path := "/v1/files/" + f.ID
	n.sendParts(t, f, content, 1, 1)
	for first := int64(2); first <= content.parts()+1; first++ { // before each part, and before completing
		wire.cut()
		for action, body := range map[string]string{"/parts": object("numbers", []int32{1}), "/complete": ""} {
			a := n.owner.do(t, "POST", path+action, body)
			a.refused(t, http.StatusServiceUnavailable, "")
			if a.header.Get("Retry-After") == "" {
				t.Errorf("%s does not say when to try again", action)
			}
		}
		wire.mend(t)
		n.sendParts(t, f, content, first, min(first, content.parts()))
	}
	n.owner.do(t, "POST", path+"/complete", "").want(t, http.StatusOK)
	n.becomes(t, f.ID, "ready")

	other := bulk{size: content.size - 1, part: content.part}
	wrong := declare(t, n.owner, "name", "bad", "size", other.size, "sha256", content.sum(t))
	n.sendParts(t, wrong, other, 1, other.parts())
	n.owner.do(t, "POST", "/v1/files/"+wrong.ID+"/complete", "") // refuses at once what it reads at once
	if reason := n.becomes(t, wrong.ID, "pending"); reason != "files.checksum_mismatch" {
		t.Errorf("other content is refused because of %q", reason)
	}
	n.owner.do(t, "GET", "/v1/files/"+wrong.ID+"/content", "").refused(t, http.StatusConflict, "files.not_ready")
}
