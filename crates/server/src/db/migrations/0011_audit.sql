-- The log. Each entry belongs to one of two chains: hash is that of the entry and of the hash before it in its chain,
-- number counts within the chain, seq across both.
CREATE TABLE audit_log (
    tenant    TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    chain     TEXT   NOT NULL,
    number    BIGINT NOT NULL,
    date      BIGINT NOT NULL,
    type      TEXT   NOT NULL,
    client_id TEXT,
    document  TEXT   NOT NULL,
    hash      BYTEA  NOT NULL,
    PRIMARY KEY (tenant, seq)
);
CREATE INDEX audit_log_changes ON audit_log (tenant, seq) WHERE chain = 'changes';
CREATE INDEX audit_log_date ON audit_log (tenant, date, seq);
CREATE INDEX audit_log_type ON audit_log (tenant, type, date, seq);
CREATE INDEX audit_log_client ON audit_log (tenant, client_id, date, seq) WHERE client_id IS NOT NULL;

-- Where each chain ends, and the last of its entries that was deleted for its age.
CREATE TABLE audit_chain (
    tenant         TEXT   NOT NULL,
    chain          TEXT   NOT NULL,
    seq            BIGINT NOT NULL,
    number         BIGINT NOT NULL,
    hash           BYTEA  NOT NULL,
    deleted_seq    BIGINT NOT NULL,
    deleted_number BIGINT NOT NULL,
    deleted_hash   BYTEA  NOT NULL,
    PRIMARY KEY (tenant, chain)
);
