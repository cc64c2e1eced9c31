-- What the server itself remembers between starts.
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE tenant (
    tenant     TEXT   NOT NULL PRIMARY KEY,
    domain     TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- Keys that sign tokens. private_key is sealed, certificate is DER.
CREATE TABLE signing_key (
    tenant      TEXT   NOT NULL REFERENCES tenant (tenant),
    kid         TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    private_key BYTEA  NOT NULL,
    certificate BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, kid)
);

-- Keys of the local certificate authority and of the server's own certificate. private_key is sealed.
CREATE TABLE tls_key (
    name        TEXT   NOT NULL PRIMARY KEY,
    private_key BYTEA  NOT NULL,
    certificate BYTEA  NOT NULL,
    not_after   BIGINT NOT NULL
);

-- document is the answer to a GET without client_secret and signing_keys, which belong at the two offsets.
CREATE TABLE client (
    tenant                     TEXT    NOT NULL REFERENCES tenant (tenant),
    client_id                  TEXT    NOT NULL,
    seq                        BIGINT  NOT NULL,
    version                    BIGINT  NOT NULL,
    document                   TEXT    NOT NULL,
    signing_keys_at            BIGINT  NOT NULL,
    client_secret_at           BIGINT  NOT NULL,
    secret_id                  TEXT,
    is_global                  BOOLEAN NOT NULL,
    is_first_party             BOOLEAN NOT NULL,
    app_type                   TEXT    NOT NULL,
    external_client_id         TEXT,
    resource_server_identifier TEXT,
    created_at                 BIGINT  NOT NULL,
    updated_at                 BIGINT  NOT NULL,
    PRIMARY KEY (tenant, client_id)
);
CREATE UNIQUE INDEX client_seq ON client (tenant, seq);
CREATE INDEX client_app_type ON client (tenant, app_type, seq);
CREATE INDEX client_third_party ON client (tenant, seq) WHERE NOT is_first_party;
CREATE UNIQUE INDEX client_global ON client (tenant) WHERE is_global;
CREATE UNIQUE INDEX client_external ON client (tenant, external_client_id) WHERE external_client_id IS NOT NULL;
CREATE UNIQUE INDEX client_resource_server ON client (tenant, resource_server_identifier)
    WHERE resource_server_identifier IS NOT NULL;

CREATE TABLE client_alias (
    tenant    TEXT NOT NULL,
    alias     TEXT NOT NULL,
    client_id TEXT NOT NULL,
    PRIMARY KEY (tenant, alias),
    FOREIGN KEY (tenant, client_id) REFERENCES client (tenant, client_id) ON DELETE CASCADE
);
CREATE INDEX client_alias_client ON client_alias (tenant, client_id);

-- secret is sealed.
CREATE TABLE client_secret (
    tenant       TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    secret_id    TEXT   NOT NULL,
    secret       BYTEA  NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT,
    PRIMARY KEY (tenant, client_id, secret_id),
    FOREIGN KEY (tenant, client_id) REFERENCES client (tenant, client_id) ON DELETE CASCADE
);

-- How many clients there are of each sort, kept in several shards so that writers need not wait for each other.
CREATE TABLE client_count (
    tenant         TEXT    NOT NULL,
    shard          BIGINT  NOT NULL,
    is_global      BOOLEAN NOT NULL,
    is_first_party BOOLEAN NOT NULL,
    app_type       TEXT    NOT NULL,
    n              BIGINT  NOT NULL,
    PRIMARY KEY (tenant, shard, is_global, is_first_party, app_type)
);

-- signing_secret is sealed, and no part of the document.
CREATE TABLE resource_server (
    tenant         TEXT    NOT NULL REFERENCES tenant (tenant),
    id             TEXT    NOT NULL,
    identifier     TEXT    NOT NULL,
    seq            BIGINT  NOT NULL,
    version        BIGINT  NOT NULL,
    document       TEXT    NOT NULL,
    signing_secret BYTEA,
    is_system      BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, identifier)
);
CREATE UNIQUE INDEX resource_server_seq ON resource_server (tenant, seq);

-- client_id is absent in grants for a class of clients (default_for).
CREATE TABLE client_grant (
    tenant                 TEXT    NOT NULL,
    id                     TEXT    NOT NULL,
    client_id              TEXT,
    audience               TEXT    NOT NULL,
    subject_type           TEXT    NOT NULL,
    allow_any_organization BOOLEAN NOT NULL,
    version                BIGINT  NOT NULL,
    document               TEXT    NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, client_id) REFERENCES client (tenant, client_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, audience) REFERENCES resource_server (tenant, identifier)
        ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX client_grant_client ON client_grant (tenant, client_id, audience, subject_type);
CREATE UNIQUE INDEX client_grant_default ON client_grant (tenant, audience, subject_type) WHERE client_id IS NULL;
CREATE INDEX client_grant_audience ON client_grant (tenant, audience);

-- Tokens issued to clients with a quota, per window.
CREATE TABLE token_quota_use (
    tenant       TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    period       TEXT   NOT NULL,
    window_start BIGINT NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (tenant, client_id, period),
    FOREIGN KEY (tenant, client_id) REFERENCES client (tenant, client_id) ON DELETE CASCADE
);
