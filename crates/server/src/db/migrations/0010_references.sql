-- The client of options.idpinitiated, to be found when it goes away.
ALTER TABLE connection ADD COLUMN idp_initiated_client TEXT;
CREATE INDEX connection_idp_initiated ON connection (tenant, idp_initiated_client)
    WHERE idp_initiated_client IS NOT NULL;
