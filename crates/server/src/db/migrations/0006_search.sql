-- What clients are found by. Clients that were there before are indexed when the server starts.

-- The start of the name in lower case, which lists by name are in the order of; absent until the client is indexed.
ALTER TABLE client ADD COLUMN name_key BYTEA;
CREATE INDEX client_name ON client (tenant, name_key, seq);
CREATE INDEX client_updated ON client (tenant, updated_at, seq);

-- Every list of clients in the order of creation: all, of one party, of one type, of both.
DROP INDEX client_third_party;
CREATE INDEX client_party ON client (tenant, is_first_party, seq);
CREATE INDEX client_party_app_type ON client (tenant, is_first_party, app_type, seq);

-- A client's terms: three characters of its name, entries of its metadata, hosts of its callbacks. Who has a term is
-- read in the order of creation.
CREATE TABLE client_term (
    tenant TEXT   NOT NULL,
    term   BYTEA  NOT NULL,
    seq    BIGINT NOT NULL,
    PRIMARY KEY (tenant, term, seq)
);
