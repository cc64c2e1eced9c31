-- What is looked for by every change, or every few minutes, and was found by reading all of a tenant's rows. What is
-- dropped comes last: that alone keeps others from reading.

-- Lists without the global client, which most programs ask for, skip to a page without reading what they skip.
CREATE INDEX client_not_global ON client (tenant, seq, is_global) WHERE NOT is_global;
CREATE INDEX client_of_app_type ON client (tenant, app_type, seq, is_global);
CREATE INDEX client_of_party ON client (tenant, is_first_party, seq, is_global);
CREATE INDEX client_of_party_and_app_type ON client (tenant, is_first_party, app_type, seq, is_global);

-- The oldest entries of each chain. Attempts may be few among many changes.
CREATE INDEX audit_log_attempts ON audit_log (tenant, seq) WHERE chain = 'attempts';

-- SQLite takes an index that has everything that is asked for before one that narrows the search.
CREATE INDEX client_reference_to ON client_reference (tenant, kind, id, client_id);

-- Grants for an API, in the order in which they are listed.
CREATE INDEX client_grant_of_api ON client_grant (tenant, audience, id, subject_type);

DROP INDEX client_app_type;
DROP INDEX client_party;
DROP INDEX client_party_app_type;
DROP INDEX client_reference_target;
DROP INDEX client_grant_audience;
