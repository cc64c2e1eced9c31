-- New clients whose terms do not stand in client_term yet, and these terms. What many of them have is moved there at once,
-- in the order of that table, which costs far less than twenty places for each client.
CREATE TABLE client_unindexed (
    tenant TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    terms  BYTEA  NOT NULL,
    PRIMARY KEY (tenant, seq)
)
-- sqlite: WITHOUT ROWID
;

-- Rows come and go all the time; whoever reads the table should not have to pass the dead ones.
-- postgres: ALTER TABLE client_unindexed SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
