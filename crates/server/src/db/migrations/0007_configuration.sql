-- Settings that nothing but their own routes reads. id is empty where there is only one of a kind; secrets is a sealed
-- JSON object of the members that no answer shows.
CREATE TABLE configuration (
    tenant   TEXT   NOT NULL REFERENCES tenant (tenant),
    kind     TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    version  BIGINT NOT NULL,
    document TEXT   NOT NULL,
    secrets  BYTEA,
    PRIMARY KEY (tenant, kind, id)
);
