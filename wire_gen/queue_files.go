package wiregen

import (
	"context"
	"time"

	"github.com/insulahq/insula/modules/files/filesmodule"
	filesservice "github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/op"
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

// FileSweeper looks after the files of tenants, as the jobs it is made of.
func FileSweeper(p *Process) *filesservice.Sweeper {
	return filesservice.NewSweeper(func(t tenancy.Tenant, d op.Def) *filesservice.Files { return asJob(p, d, requestFiles, t) }, p.Fresh, p.Clock, p.Log)
}

// FileSweeping sweeps the files of all tenants regularly. Run it beside the
// server, and stop it at the end.
func FileSweeping(p *Process) *jobs.Worker {
	return filesmodule.NewSweepWorker(FileSweeper(p), p.Directory.ServedTenants, p.Live, p.Config.Files.SweepEvery, p.Log, p.Metrics)
}
