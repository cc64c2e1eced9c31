-- A tenant whose settings nobody changed has no row. document is what answers show, without what the platform adds.
CREATE TABLE tenant_settings (
    tenant   TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (tenant),
    version  BIGINT NOT NULL,
    document TEXT   NOT NULL
);

-- Connection profiles and user attribute profiles, told apart by kind.
CREATE TABLE profile (
    tenant   TEXT   NOT NULL REFERENCES tenant (tenant),
    id       TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    version  BIGINT NOT NULL,
    document TEXT   NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, name)
);

-- What the settings of a client refer to: kind and id of each profile and other client.
CREATE TABLE client_reference (
    tenant    TEXT NOT NULL,
    client_id TEXT NOT NULL,
    kind      TEXT NOT NULL,
    id        TEXT NOT NULL,
    PRIMARY KEY (tenant, client_id, kind, id),
    FOREIGN KEY (tenant, client_id) REFERENCES client (tenant, client_id) ON DELETE CASCADE
);
CREATE INDEX client_reference_target ON client_reference (tenant, kind, id);

-- Tokens issued in a window to a client or organization with a quota.
CREATE TABLE token_count (
    tenant       TEXT   NOT NULL REFERENCES tenant (tenant),
    owner        TEXT   NOT NULL,
    owner_id     TEXT   NOT NULL,
    period       TEXT   NOT NULL,
    window_start BIGINT NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (tenant, owner, owner_id, period)
);
INSERT INTO token_count (tenant, owner, owner_id, period, window_start, n)
    SELECT tenant, 'client', client_id, period, window_start, n FROM token_quota_use;
DROP TABLE token_quota_use;
