package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/telemetry"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve the API until interrupted, then let running requests finish.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(os.Environ())
			if err != nil {
				return err
			}
			return serve(cmd.Context(), cfg)
		},
	}
}

func serve(ctx context.Context, cfg config.Config) error {
	p, cleanup, err := wiregen.NewProcess(ctx, cfg, os.Stderr)
	if err != nil {
		return err
	}
	defer cleanup()
	defer p.Requests.Close() // after the last request
	defer p.Folds.Close()
	server, err := wiregen.NewServer(p, version())
	if err != nil {
		return err
	}
	work, err := wiregen.NewQueue(ctx, p)
	if err != nil {
		return err
	}
	defer work.Close()
	sweeping := wiregen.FileSweeping(p)
	defer sweeping.Stop()
	public, err := net.Listen("tcp", cfg.HTTP.Addr)
	if err != nil {
		return fmt.Errorf("public listener: %w", err)
	}
	private, err := net.Listen("tcp", cfg.HTTP.AdminAddr)
	if err != nil {
		public.Close()
		return fmt.Errorf("private listener: %w", err)
	}
	p.Log.InfoContext(ctx, "serving", "address", public.Addr().String(), "admin", private.Addr().String(), "version", version())
	stopping := httpx.Stopping{Notice: cfg.HTTP.DrainNotice, Drain: cfg.HTTP.DrainTimeout, Begin: server.Leave}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.Warmer.Run(ctx) })
	g.Go(func() error {
		p.Warmer.Await(ctx)
		return httpx.Run(ctx, server, public, stopping, p.Log)
	})
	g.Go(func() error {
		return httpx.Run(ctx, telemetry.AdminHandler(p.Registry), private, httpx.Stopping{Notice: stopping.Notice, Drain: stopping.Drain}, p.Log)
	})
	g.Go(func() error { return p.Provisioner.Run(ctx) })
	g.Go(func() error { return p.Stocker.Run(ctx) })
	g.Go(func() error { return p.Copier.Run(ctx) })
	g.Go(func() error { return p.Sweeper.Run(ctx) })
	g.Go(func() error { return p.Scheduler.Run(ctx) })
	g.Go(func() error { return p.Eraser.Run(ctx) })
	g.Go(func() error { return p.Mirrorer.Run(ctx) })
	g.Go(func() error { return p.Folds.Run(ctx) })
	g.Go(func() error { return p.Requests.Run(ctx) })
	g.Go(func() error { return p.Sealer.Run(ctx) })
	g.Go(func() error { return p.Remover.Run(ctx) })
	g.Go(func() error { return p.Tails.Run(ctx) })
	g.Go(func() error { return sweeping.Run(ctx) })
	g.Go(func() error { return work.Run(ctx) })
	g.Go(func() error { return p.KeyRing.Run(ctx) })
	return g.Wait()
}
