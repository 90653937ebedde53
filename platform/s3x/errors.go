package s3x

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// translate turns an error about one object into one of ours.
func translate(ctx context.Context, action string, key Key, err error) error {
	subject := action + " object " + key.String()
	var answer smithy.APIError
	if errors.As(err, &answer) {
		switch {
		case gone(answer):
			return fmt.Errorf("%s: %w", subject, ErrNotFound)
		case answer.ErrorCode() == "InvalidRange":
			return fmt.Errorf("%s: %w", subject, ErrRange)
		}
		if partsError(answer) {
			return fmt.Errorf("%s: %w: %s", subject, ErrParts, answer.ErrorMessage())
		}
	}
	return unavailable(ctx, subject, err)
}

// unavailable marks an error as the store's, unless the caller's context caused it.
func unavailable(ctx context.Context, subject string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", subject, ctx.Err())
	}
	return fmt.Errorf("%s: %w: %w", subject, ErrUnavailable, err)
}

// gone recognizes the answer that an object or an upload is not there. That there is no bucket is no property of
// the object.
func gone(err error) bool {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.ErrorCode() {
	case "NoSuchKey", "NotFound", "NoSuchUpload":
		return true
	}
	return false
}
