package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// backends looks at the server's processes from outside, as the kernel counts
// them: on Linux, and zero elsewhere.
type backends struct {
	conn     *pgx.Conn
	database string
}

func (c *city) watch(ctx context.Context) (*backends, error) {
	conn, err := pgx.Connect(ctx, c.url)
	return &backends{conn: conn, database: c.name}, err
}

func (b *backends) close() { _ = b.conn.Close(context.Background()) }

// of lists the processes behind the connections of an application.
func (b *backends) of(ctx context.Context, app string) ([]int, error) {
	rows, err := b.conn.Query(ctx, `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = $2`, b.database, app)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int])
}

// spent is the processor time of each so far.
func (b *backends) spent(ctx context.Context, app string) (map[int]time.Duration, error) {
	pids, err := b.of(ctx, app)
	out := map[int]time.Duration{}
	for _, pid := range pids {
		var ns int64
		if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid)); err == nil {
			_, _ = fmt.Sscan(string(text), &ns) // not a number: not counted
		}
		out[pid] = time.Duration(ns)
	}
	return out, err
}

// memory is what a backend of an application holds for itself, in MB: the mean
// over the application's connections.
func (b *backends) memory(ctx context.Context, app string) (float64, error) {
	pids, err := b.of(ctx, app)
	if err != nil || len(pids) == 0 {
		return 0, err
	}
	var sum float64
	for _, pid := range pids {
		sum += private(pid)
	}
	return sum / float64(len(pids)), nil
}

// private is a process's private memory in MB.
func private(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	var kb float64
	for line := range strings.SplitSeq(string(text), "\n") {
		var n float64
		if _, err := fmt.Sscanf(line, "Private_Dirty: %f kB", &n); err == nil {
			kb += n
		}
	}
	return kb / 1024
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
