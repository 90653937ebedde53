package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// line is a row's figures: medians over its rounds. Durations are in
// microseconds.
type line struct {
	Name        string  `json:"name"`
	Connections int     `json:"connections"`
	Requests    uint64  `json:"requests"` // in all rounds together
	Rate        float64 `json:"requests_per_second"`
	P50         float64 `json:"p50_us"`
	P99         float64 `json:"p99_us"`
	ServerCPU   float64 `json:"server_cpu_us,omitempty"`
	DatabaseCPU float64 `json:"database_cpu_us,omitempty"`
	// Ratio is the rate over that of the floor, round by round.
	Ratio   float64 `json:"ratio,omitempty"`
	Against string  `json:"against,omitempty"`
}

// report is what -json prints.
type report struct {
	Rounds     int     `json:"rounds"`
	Seconds    float64 `json:"seconds_per_round"`
	Users      int     `json:"users"`
	Processors int     `json:"processors"`
	Rows       []line  `json:"rows"`
}

// write prints the figures.
func write(w io.Writer, results []result, o options) error {
	r := report{Rounds: o.rounds, Seconds: o.duration.Seconds(), Users: o.users, Processors: runtime.NumCPU()}
	for _, res := range results {
		r.Rows = append(r.Rows, summarise(res, results))
	}
	if o.asJSON {
		lines := json.NewEncoder(w)
		lines.SetIndent("", "  ")
		return lines.Encode(r)
	}
	fmt.Fprintf(w, "%d users, %d processors; medians of %d rounds of %s\n\n", r.Users, r.Processors, r.Rounds, o.duration)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "row\tconnections\trequests/s\tp50 ms\tp99 ms\tserver CPU µs\tPostgreSQL CPU µs\tof the floor\t")
	for _, l := range r.Rows {
		ratio := ""
		if l.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f", l.Ratio)
		}
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t%s\t\n",
			l.Name, l.Connections, l.Rate, l.P50/1000, l.P99/1000, l.ServerCPU, l.DatabaseCPU, ratio)
	}
	return t.Flush()
}

func summarise(res result, all []result) line {
	l := line{
		Name: res.row.name, Connections: len(res.row.tokens), Against: res.row.against,
		Rate:        medianOf(res.rounds, func(m measurement) float64 { return m.rate }),
		P50:         medianOf(res.rounds, func(m measurement) float64 { return micros(m.p50) }),
		P99:         medianOf(res.rounds, func(m measurement) float64 { return micros(m.p99) }),
		ServerCPU:   medianOf(res.rounds, func(m measurement) float64 { return micros(m.serverCPU) }),
		DatabaseCPU: medianOf(res.rounds, func(m measurement) float64 { return micros(m.databaseCPU) }),
	}
	for _, m := range res.rounds {
		l.Requests += m.requests
	}
	floor := slices.IndexFunc(all, func(r result) bool { return r.row.name == res.row.against })
	if floor < 0 {
		return l
	}
	// Rounds of the same number lie next to each other in time.
	ratios := make([]float64, len(res.rounds))
	for i, m := range res.rounds {
		ratios[i] = m.rate / all[floor].rounds[i].rate
	}
	l.Ratio = median(ratios)
	return l
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func medianOf(rounds []measurement, figure func(measurement) float64) float64 {
	figures := make([]float64, len(rounds))
	for i, m := range rounds {
		figures[i] = figure(m)
	}
	return median(figures)
}

// median is the mean of the middle two of an even number, and 0 of nothing.
func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// fetch reads a page of the private listener.
func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %.200s", url, resp.Status, text)
	}
	return text, err
}
