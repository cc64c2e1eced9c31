-- jwk is the public key of a credential that signs; sort is what lists are ordered by.
CREATE TABLE credential (
    tenant          TEXT   NOT NULL,
    client_id       TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    credential_type TEXT   NOT NULL,
    sort            TEXT   NOT NULL,
    jwk             TEXT,
    document        TEXT   NOT NULL,
    expires_at      BIGINT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant, client_id, id),
    FOREIGN KEY (tenant, client_id) REFERENCES client (tenant, client_id) ON DELETE CASCADE
);

-- Assertions that were used, until they would not be accepted any more anyway.
CREATE TABLE used_assertion (
    tenant     TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    jti        TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, client_id, jti),
    FOREIGN KEY (tenant, client_id) REFERENCES client (tenant, client_id) ON DELETE CASCADE
);
CREATE INDEX used_assertion_expiry ON used_assertion (tenant, expires_at);

-- The public key that tokens for an API are encrypted with, as JWK.
ALTER TABLE resource_server ADD COLUMN encryption_key TEXT;
