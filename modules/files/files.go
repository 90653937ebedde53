// Package files is the contract of the files module: what other modules may
// ask of it. A file is metadata in its tenant's schema and bytes in S3; nobody
// outside the module needs either yet.
package files
