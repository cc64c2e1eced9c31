-- The current secret stands beside the document, so that whoever reads a client reads one row. client_secret has those
-- before it, until they expire.
ALTER TABLE client ADD COLUMN secret BYTEA;
ALTER TABLE client ADD COLUMN secret_created_at BIGINT;
ALTER TABLE client ADD COLUMN secret_used_at BIGINT;
UPDATE client SET
    secret = (SELECT s.secret FROM client_secret s WHERE s.tenant = client.tenant
        AND s.client_id = client.client_id AND s.secret_id = client.secret_id),
    secret_created_at = (SELECT s.created_at FROM client_secret s WHERE s.tenant = client.tenant
        AND s.client_id = client.client_id AND s.secret_id = client.secret_id),
    secret_used_at = (SELECT s.last_used_at FROM client_secret s WHERE s.tenant = client.tenant
        AND s.client_id = client.client_id AND s.secret_id = client.secret_id);
DELETE FROM client_secret WHERE EXISTS (SELECT 1 FROM client c WHERE c.tenant = client_secret.tenant
    AND c.client_id = client_secret.client_id AND c.secret_id = client_secret.secret_id);
