package pgserver

import (
	"context"
	"strconv"
)

// Profile says what the data is worth.
type Profile int

const (
	// Durable keeps data over restarts and crashes, as a production server does.
	Durable Profile = iota
	// Throwaway trades all safety for speed: every start begins empty, and Stop
	// removes the data.
	Throwaway
)

// settings lists the server's settings as name and value. They are given on
// the command line, so that one data directory's files never have to be edited.
func (c cluster) settings(ctx context.Context, port int) [][2]string {
	out := [][2]string{
		{"listen_addresses", "127.0.0.1"},
		{"port", strconv.Itoa(port)},
		{"unix_socket_directories", ""},
		{"password_encryption", "scram-sha-256"},
		{"timezone", "UTC"},
		{"log_timezone", "UTC"},
		{"log_line_prefix", "%m [%p] %q%u@%d "},
		{"cluster_name", "insula"},
		{"shared_buffers", "128MB"},
		{"wal_level", "logical"},
	}
	if c.bin.library(ctx, "pg_stat_statements") {
		out = append(out, [2]string{"shared_preload_libraries", "pg_stat_statements"})
	}
	if c.profile == Durable {
		return append(out, [2]string{"max_connections", "100"}, [2]string{"fsync", "on"})
	}
	out = append(out,
		[2]string{"max_connections", "200"},
		[2]string{"fsync", "off"},
		[2]string{"synchronous_commit", "off"},
		[2]string{"full_page_writes", "off"},
		[2]string{"jit", "off"},
		[2]string{"checkpoint_timeout", "1h"},
		[2]string{"max_wal_size", "2GB"},
	)
	if c.bin.Major >= 18 {
		// CREATE DATABASE from a template shares the blocks where the file system can.
		out = append(out, [2]string{"file_copy_method", "clone"})
	}
	return out
}

// arguments turns the settings into a command line.
func (c cluster) arguments(ctx context.Context, port int) []string {
	args := []string{"-D", c.data()}
	for _, s := range c.settings(ctx, port) {
		args = append(args, "-c", s[0]+"="+s[1])
	}
	return args
}
