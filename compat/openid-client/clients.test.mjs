import assert from "node:assert/strict";
import { test } from "node:test";
import * as oidc from "openid-client";
import { createMachine, createMachineWith, discover, domain, grant, issuer, notBelieved } from "./tenant.mjs";

test("discovery says where and how clients authenticate, also with certificates", async () => {
    const server = (await discover("anyone")).serverMetadata();
    assert.equal(server.issuer, issuer.href);
    assert.equal(server.token_endpoint, `https://${domain}/oauth/token`);
    assert.deepEqual(server.mtls_endpoint_aliases, { token_endpoint: `https://mtls.${domain}/oauth/token` });
    assert.equal(server.tls_client_certificate_bound_access_tokens, true);
    for (const method of [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "tls_client_auth",
        "self_signed_tls_client_auth",
    ]) {
        assert.ok(server.token_endpoint_auth_methods_supported.includes(method), method);
    }
});

const bySecret = { client_secret_basic: oidc.ClientSecretBasic, client_secret_post: oidc.ClientSecretPost };
for (const [method, authentication] of Object.entries(bySecret)) {
    test(`a client authenticates by ${method}, and by no wrong secret`, async (t) => {
        const { client_id, client_secret } = await createMachine(t, { token_endpoint_auth_method: method });
        const tokens = await grant(await discover(client_id, authentication(client_secret)));
        assert.equal(tokens.token_type, "bearer");
        const refused = { name: "ResponseBodyError", status: 401, error: "access_denied" };
        await assert.rejects(grant(await discover(client_id, authentication("wrong"))), refused);
    });
}

const algorithms = {
    RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    RS384: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
    PS256: { name: "RSA-PSS", hash: "SHA-256" },
};
for (const [alg, { name, hash }] of Object.entries(algorithms)) {
    test(`a client authenticates by private_key_jwt with ${alg}, with and without the id of its key`, async (t) => {
        const publicExponent = new Uint8Array([1, 0, 1]);
        const newKey = () =>
            crypto.subtle.generateKey({ name, hash, modulusLength: 2048, publicExponent }, true, ["sign", "verify"]);
        const [{ publicKey, privateKey: key }, { privateKey: other }] = [await newKey(), await newKey()];
        const spki = Buffer.from(await crypto.subtle.exportKey("spki", publicKey)).toString("base64");
        const pem = `-----BEGIN PUBLIC KEY-----\n${spki.match(/.{1,64}/g).join("\n")}\n-----END PUBLIC KEY-----\n`;
        const client = await createMachineWith(t, "private_key_jwt", { credential_type: "public_key", pem, alg });
        const [{ kid }] = client.client_authentication_methods.private_key_jwt.credentials;
        const ask = async (signer) => grant(await discover(client.client_id, oidc.PrivateKeyJwt(signer)));

        assert.equal((await ask(key)).token_type, "bearer");
        assert.equal((await ask({ key, kid })).token_type, "bearer");
        await assert.rejects(ask({ key: other, kid }), notBelieved);
    });
}
