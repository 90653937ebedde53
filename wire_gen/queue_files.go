package wiregen

import (
	"context"
	"time"

	filesservice "github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/tenancy"
)

// readingTime is what reading a large content takes beside scanning it. Work
// of a process that was killed is taken up again only after all of its time.
const readingTime = 5 * time.Minute

// filesExamine reads content, and has it scanned.
func filesExamine(p *Process) jobs.Handler {
	h := jobs.Handle(filesservice.Examine, func(ctx context.Context, t tenancy.Tenant, x filesservice.Examination) error {
		return asJob(p, filesservice.Examine, requestFiles, t).Examine(ctx, x)
	})
	h.Timeout = p.Config.Files.ScanTimeout + readingTime
	return h
}
