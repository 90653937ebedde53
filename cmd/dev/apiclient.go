package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// apiClient speaks to the API as a member of one tenant.
type apiClient struct {
	seeder
	tenant, token string
}

// login returns an access token.
func (c apiClient) login(ctx context.Context, l login) (string, error) {
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	err := c.post(ctx, "/v1/auth/login", map[string]string{"email": l.Email, "password": l.Password}, &answer)
	if err == nil && answer.AccessToken == "" {
		err = errors.New("the answer holds no access token")
	}
	if err != nil {
		return "", fmt.Errorf("log in as %s: %w", l.Email, err)
	}
	return answer.AccessToken, nil
}

// upload stores one small file.
func (c apiClient) upload(ctx context.Context, name, contentType, content string) error {
	var file struct {
		ID string `json:"id"`
	}
	body := map[string]any{"name": name, "size": len(content), "content_type": contentType}
	if err := c.post(ctx, "/v1/files", body, &file); err != nil {
		return err
	}
	return c.do(ctx, http.MethodPut, "/v1/files/"+url.PathEscape(file.ID)+"/content", contentType, strings.NewReader(content), nil)
}

// post sends a JSON document and reads the answer into out, unless out is nil.
func (c apiClient) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, "application/json", bytes.NewReader(body), out)
}

// apiError is a refusal of the API.
type apiError struct {
	method, path string
	status       int
	Code         string `json:"code"`
	Detail       string `json:"detail"`
	Errors       []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

// Error tells what was asked and why it was refused.
func (e *apiError) Error() string {
	text := fmt.Sprintf("%s %s answered %d %s %s", e.method, e.path, e.status, e.Code, e.Detail)
	for _, f := range e.Errors {
		text += fmt.Sprintf("; %s: %s", f.Pointer, f.Detail)
	}
	return text
}

func isConflict(err error) bool {
	var refused *apiError
	return errors.As(err, &refused) && refused.status == http.StatusConflict
}

// answerLimit is the size in bytes of the longest answer that is read.
const answerLimit = 1 << 20

// do sends one request.
func (c apiClient) do(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.api+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-Tenant", c.tenant)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		refused := &apiError{method: method, path: path, status: resp.StatusCode}
		_ = json.Unmarshal(text, refused) // an answer that is no problem document leaves the status
		return refused
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return nil
}
