package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

const (
	s3Region = "us-east-1"
	s3Bucket = "insula"
	// s3Limit is how long the S3 server may take to stop.
	s3Limit = 5 * time.Second
	// s3Start is how long it may take to answer.
	s3Start = 30 * time.Second
)

// s3Server says how to run the S3 helper.
type s3Server struct {
	binary, dir, log     string
	addr                 address
	accessKey, secretKey string
}

func (s s3Server) endpoint() string { return "http://" + s.addr.String() }

// env hands over the keys; arguments would show them to every user.
func (s s3Server) env() []string {
	return append(os.Environ(), "DEVS3_ACCESS_KEY="+s.accessKey, "DEVS3_SECRET_KEY="+s.secretKey)
}

// start runs the server and waits until it answers. The helper ends with this
// process, because it watches its standard input.
func (s s3Server) start(ctx context.Context) (part, error) {
	p, err := program{
		name: "S3", file: s.binary, log: s.log, env: s.env(), stopLimit: s3Limit, tether: true,
		args: []string{"serve", "-addr", s.addr.String(), "-dir", s.dir, "-region", s3Region, "-exit-with-stdin"},
	}.start()
	if err != nil {
		return part{}, err
	}
	if err := poll(ctx, p, s3Start, answers(s.endpoint()+"/healthz")); err != nil {
		return part{}, errors.Join(fmt.Errorf("S3: %w", err), p.stop(ctx))
	}
	return p, nil
}

// makeBucket makes the product's bucket and lets browsers use it.
func (s s3Server) makeBucket(ctx context.Context) error {
	_, err := finish(ctx, s.env(), s.binary, "bucket", "-endpoint", s.endpoint(), "-region", s3Region, "-name", s3Bucket)
	return err
}

// answers returns a question for poll: does url answer 200?
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", req.URL.Path, resp.Status)
		}
		return nil
	}
}
