// The server trusts the authority that `compat/run` has made in SUITE_FILES.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as oidc from "openid-client";
import { makeAuthority, makeCertificate } from "./certificates.mjs";
import {
    claimsOf,
    createMachineWith,
    discover,
    discoverWithCertificate,
    grant,
    manage,
    managementAudience,
    notBelieved,
} from "./tenant.mjs";

const files = process.env.SUITE_FILES;
const authority = join(files, "authority");
const subject = "/O=Acme/CN=client";

const pemOf = (file) => readFileSync(`${file}.pem`, "utf8");

function thumbprintOf(file) {
    return createHash("sha256").update(new X509Certificate(pemOf(file)).raw).digest("base64url");
}

test("a client authenticates by its self-signed certificate, and not by another one of the same name", async (t) => {
    const own = makeCertificate(files, "own", subject);
    const other = makeCertificate(files, "other", subject);
    const credential = { credential_type: "x509_cert", pem: pemOf(own) };
    const { client_id } = await createMachineWith(t, "self_signed_tls_client_auth", credential);

    const tokens = await grant(await discoverWithCertificate(t, client_id, own));
    assert.equal(tokens.token_type, "bearer");
    assert.equal(claimsOf(tokens).cnf, undefined, "nothing asks for a bound token");
    await assert.rejects(grant(await discoverWithCertificate(t, client_id, other)), notBelieved);
    await assert.rejects(grant(await discover(client_id, oidc.None())), notBelieved);
});

test("a client authenticates by the subject of a certificate, if the authority is the trusted one", async (t) => {
    const forger = makeAuthority(files, "forger");
    const issued = makeCertificate(files, "issued", subject, authority);
    const renewed = makeCertificate(files, "renewed", subject, authority);
    const credential = { credential_type: "cert_subject_dn", subject_dn: "O=Acme\nCN=client" };
    const { client_id } = await createMachineWith(t, "tls_client_auth", credential);

    for (const file of [issued, renewed]) {
        assert.equal((await grant(await discoverWithCertificate(t, client_id, file))).token_type, "bearer");
    }
    for (const file of [
        makeCertificate(files, "forged", subject, forger),
        makeCertificate(files, "self-signed", subject),
        makeCertificate(files, "stranger", "/O=Acme/CN=stranger", authority),
    ]) {
        await assert.rejects(grant(await discoverWithCertificate(t, client_id, file)), notBelieved, file);
    }
});

test("an API that requires proof of possession gets tokens that are bound to the certificate", async (t) => {
    const identifier = "https://vault.example/";
    const proof_of_possession = { mechanism: "mtls", required: true };
    const api = await manage("POST", "resource-servers", { name: "Vault", identifier, proof_of_possession });
    t.after(() => manage("DELETE", `resource-servers/${api.id}`));
    assert.deepEqual(api.proof_of_possession, proof_of_possession);

    const audiences = [managementAudience, identifier];
    const selfSigned = makeCertificate(files, "bound-self-signed", subject);
    const issued = makeCertificate(files, "bound-issued", subject, authority);
    for (const [method, file, credential] of [
        ["self_signed_tls_client_auth", selfSigned, { credential_type: "x509_cert", pem: pemOf(selfSigned) }],
        ["tls_client_auth", issued, { credential_type: "cert_subject_dn", pem: pemOf(issued) }],
    ]) {
        const { client_id } = await createMachineWith(t, method, credential, audiences);
        const config = await discoverWithCertificate(t, client_id, file);
        const claims = claimsOf(await grant(config, identifier));
        assert.equal(claims.aud, identifier);
        assert.deepEqual(claims.cnf, { "x5t#S256": thumbprintOf(file) });
        assert.equal(claimsOf(await grant(config)).cnf, undefined, "the other API does not ask for it");
    }
});
