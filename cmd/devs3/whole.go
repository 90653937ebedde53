package main

import (
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// whole refuses bodies that end before their announced length. The gateway
// itself takes the body of a client that has hung up for one that is over, and
// keeps an object with zeros where the rest would be; S3 keeps nothing.
type whole struct{ *posix.Posix }

// PutObject implements the gateway's backend.
func (w whole) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	in.Body = counted(in.Body, in.ContentLength)
	return w.Posix.PutObject(ctx, in)
}

// UploadPart implements the gateway's backend.
func (w whole) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	copied := *in
	copied.Body = counted(in.Body, in.ContentLength)
	return w.Posix.UploadPart(ctx, &copied)
}

// counted is body, made to fail when it is short. A body in chunks says by
// itself where it ends, and the gateway must recognise it.
func counted(body io.Reader, length *int64) io.Reader {
	if _, inChunks := body.(interface{ Algorithm() string }); inChunks || body == nil || length == nil {
		return body
	}
	return &lengthened{Reader: body, left: *length}
}

// lengthened is a body that knows how much is left.
type lengthened struct {
	io.Reader
	left int64
}

// Read does not say io.ErrUnexpectedEOF, which the gateway takes for the end.
func (l *lengthened) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	l.left -= int64(n)
	if errors.Is(err, io.EOF) && l.left > 0 {
		return n, s3err.GetAPIError(s3err.ErrIncompleteBody)
	}
	return n, err
}
