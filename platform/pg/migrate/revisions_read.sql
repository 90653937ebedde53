-- A version that starts with a dot is a note that the official command line keeps for itself.
SELECT version, hash, applied, total
FROM {history}
WHERE version NOT LIKE '.%'
ORDER BY version COLLATE "C"
