-- name: InsertUpload :exec
INSERT INTO file_uploads (file_id, object_id, method, part_size, multipart_id, sha256, expires_at, replaces)
VALUES (@file_id, @object_id, @method, @part_size, @multipart_id, @sha256, @expires_at, @replaces);

-- name: GetUpload :one
SELECT * FROM file_uploads WHERE file_id = @file_id;

-- name: UpdateUpload :execrows
UPDATE file_uploads SET object_id = @object_id, multipart_id = @multipart_id, expires_at = @expires_at, replaces = @replaces WHERE file_id = @file_id;

-- name: DeleteUpload :exec
DELETE FROM file_uploads WHERE file_id = @file_id;
