-- The public key or certificate as it was uploaded, so that it can be taken along to another tenant.
ALTER TABLE credential ADD COLUMN pem TEXT;
