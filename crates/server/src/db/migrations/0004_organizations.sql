CREATE TABLE organization (
    tenant       TEXT   NOT NULL REFERENCES tenant (tenant),
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    display_name TEXT   NOT NULL,
    seq          BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    document     TEXT   NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);
CREATE UNIQUE INDEX organization_seq ON organization (tenant, seq);
CREATE INDEX organization_display_name ON organization (tenant, display_name, seq);

-- sort is what lists are ordered by.
CREATE TABLE organization_client (
    tenant                TEXT    NOT NULL,
    organization_id       TEXT    NOT NULL,
    client_id             TEXT    NOT NULL,
    sort                  TEXT    NOT NULL,
    use_for_member_access BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, organization_id, client_id),
    FOREIGN KEY (tenant, organization_id) REFERENCES organization (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, client_id) REFERENCES client (tenant, client_id) ON DELETE CASCADE
);
CREATE INDEX organization_client_client ON organization_client (tenant, client_id);

-- sort is what lists are ordered by.
CREATE TABLE organization_connection (
    tenant          TEXT    NOT NULL,
    organization_id TEXT    NOT NULL,
    connection_id   TEXT    NOT NULL,
    sort            TEXT    NOT NULL,
    is_enabled      BOOLEAN NOT NULL,
    document        TEXT    NOT NULL,
    PRIMARY KEY (tenant, organization_id, connection_id),
    FOREIGN KEY (tenant, organization_id) REFERENCES organization (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, connection_id) REFERENCES connection (tenant, id) ON DELETE CASCADE
);
CREATE INDEX organization_connection_connection ON organization_connection (tenant, connection_id);

CREATE TABLE organization_client_grant (
    tenant          TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    grant_id        TEXT NOT NULL,
    PRIMARY KEY (tenant, organization_id, grant_id),
    FOREIGN KEY (tenant, organization_id) REFERENCES organization (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, grant_id) REFERENCES client_grant (tenant, id) ON DELETE CASCADE
);
CREATE INDEX organization_client_grant_grant ON organization_client_grant (tenant, grant_id);

-- domain is in lower case; the document has it as it was sent.
CREATE TABLE organization_discovery_domain (
    tenant          TEXT   NOT NULL,
    organization_id TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    domain          TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    document        TEXT   NOT NULL,
    PRIMARY KEY (tenant, organization_id, id),
    UNIQUE (tenant, organization_id, domain),
    FOREIGN KEY (tenant, organization_id) REFERENCES organization (tenant, id) ON DELETE CASCADE
);

-- The organization of default_organization.
ALTER TABLE client ADD COLUMN default_organization TEXT;
CREATE INDEX client_default_organization ON client (tenant, default_organization)
    WHERE default_organization IS NOT NULL;
