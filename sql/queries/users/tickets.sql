-- name: InsertTicket :exec
INSERT INTO tickets (hash, user_id, session_id, operation, expires_at)
VALUES (@hash, @user_id, @session_id, @operation, @expires_at);

-- name: DropEndedTickets :exec
DELETE FROM tickets WHERE session_id = @session_id AND expires_at <= @now::timestamptz;

-- name: TakeTicket :one
-- Of several who try at once, one gets it.
DELETE FROM tickets WHERE hash = @hash AND operation = @operation AND expires_at > @now::timestamptz
RETURNING user_id, session_id;
