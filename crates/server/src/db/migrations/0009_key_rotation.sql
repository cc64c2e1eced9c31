-- state is next, current, previous or revoked. When a key began and ended to sign, and when it was revoked; a revoked
-- one has no private key any more.
ALTER TABLE signing_key ADD COLUMN current_since BIGINT;
ALTER TABLE signing_key ADD COLUMN current_until BIGINT;
ALTER TABLE signing_key ADD COLUMN revoked_at BIGINT;
UPDATE signing_key SET current_since = created_at WHERE state = 'current';
CREATE UNIQUE INDEX signing_key_current ON signing_key (tenant) WHERE state = 'current';
CREATE UNIQUE INDEX signing_key_next ON signing_key (tenant) WHERE state = 'next';
