-- A tenant whose settings nobody changed has no row. document is what answers show, without what the platform adds.
CREATE TABLE tenant_settings (
    tenant   TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (tenant),
    version  BIGINT NOT NULL,
    document TEXT   NOT NULL
);
