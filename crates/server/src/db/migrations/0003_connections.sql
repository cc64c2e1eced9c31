-- document is the connection without the secrets among its options, which are sealed, and without enabled_clients.
-- sort is what lists are ordered by: the name regardless of case.
CREATE TABLE connection (
    tenant   TEXT   NOT NULL REFERENCES tenant (tenant),
    id       TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    sort     TEXT   NOT NULL,
    strategy TEXT   NOT NULL,
    version  BIGINT NOT NULL,
    document TEXT   NOT NULL,
    secrets  BYTEA,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);
CREATE UNIQUE INDEX connection_sort ON connection (tenant, sort);
CREATE INDEX connection_strategy ON connection (tenant, strategy, sort);

-- Which connections are enabled for which clients. seq is the order in which they were, sort the client's id
-- regardless of case.
CREATE TABLE connection_client (
    tenant        TEXT   NOT NULL,
    connection_id TEXT   NOT NULL,
    client_id     TEXT   NOT NULL,
    sort          TEXT   NOT NULL,
    seq           BIGINT NOT NULL,
    PRIMARY KEY (tenant, connection_id, client_id),
    FOREIGN KEY (tenant, connection_id) REFERENCES connection (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, client_id) REFERENCES client (tenant, client_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX connection_client_sort ON connection_client (tenant, connection_id, sort);
CREATE UNIQUE INDEX connection_client_seq ON connection_client (tenant, connection_id, seq, client_id);
CREATE INDEX connection_client_client ON connection_client (tenant, client_id, connection_id);
