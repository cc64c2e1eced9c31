import assert from "node:assert/strict";
import { test } from "node:test";
import { Management } from "auth0";
import { authentication, createApi, createMachine, domain, management, verifiedClaims } from "./tenant.mjs";

const auth0 = management();

test("an API is created, read by id and by identifier, updated, listed and deleted", async () => {
    const created = await auth0.resourceServers.create({
        name: "Invoices",
        identifier: "https://invoices.example/v1",
        scopes: [{ value: "read:invoices", description: "Read invoices" }],
    });
    assert.equal(created.identifier, "https://invoices.example/v1");
    assert.deepEqual(created.scopes, [{ value: "read:invoices", description: "Read invoices" }]);
    assert.equal((await auth0.resourceServers.get(created.id)).name, "Invoices");
    assert.equal((await auth0.resourceServers.get(created.identifier)).id, created.id);

    await auth0.resourceServers.update(created.id, { name: "Bills", token_lifetime: 43200 });
    const { data, rawResponse } = await auth0.resourceServers.get(created.id).withRawResponse();
    assert.equal(rawResponse.status, 200);
    assert.deepEqual([data.name, data.token_lifetime], ["Bills", 43200]);

    const listed = async () => (await auth0.resourceServers.list({ identifiers: created.identifier })).data;
    assert.deepEqual((await listed()).map((api) => api.id), [created.id]);
    await auth0.resourceServers.delete(created.id);
    assert.deepEqual(await listed(), []);
    await assert.rejects(auth0.resourceServers.get(created.id), Management.NotFoundError);
});

test("a client grant is created, read, updated, listed and deleted", async (t) => {
    const api = await createApi(t, auth0);
    const client = await createMachine(t, auth0);
    const { data: created, rawResponse } = await auth0.clientGrants
        .create({ client_id: client.client_id, audience: api.identifier, scope: ["read:orders"] })
        .withRawResponse();
    assert.equal(rawResponse.status, 201);
    assert.match(created.id, /^cgr_/);
    assert.deepEqual((await auth0.clientGrants.get(created.id)).scope, ["read:orders"]);

    await auth0.clientGrants.update(created.id, { scope: ["read:orders", "write:orders"] });
    const listed = async () => (await auth0.clientGrants.list({ client_id: client.client_id })).data;
    const [grant, ...others] = await listed();
    assert.deepEqual(others, []);
    assert.equal(grant.id, created.id);
    assert.equal(grant.audience, api.identifier);
    assert.deepEqual(grant.scope, ["read:orders", "write:orders"]);

    await auth0.clientGrants.delete(created.id);
    assert.deepEqual(await listed(), []);
    await assert.rejects(auth0.clientGrants.get(created.id), Management.NotFoundError);
});

test("a new client gets a token for exactly the API and the scopes of its grant", async (t) => {
    const api = await createApi(t, auth0);
    const client = await createMachine(t, auth0);
    const { oauth } = authentication(client);
    const refused = { statusCode: 403, error: "access_denied" };
    await assert.rejects(oauth.clientCredentialsGrant({ audience: api.identifier }), refused);

    await auth0.clientGrants.create({
        client_id: client.client_id,
        audience: api.identifier,
        scope: ["read:orders"],
    });
    const { data } = await oauth.clientCredentialsGrant({ audience: api.identifier });
    assert.equal(data.token_type, "Bearer");
    assert.equal(data.expires_in, 600);
    assert.equal(data.scope, "read:orders");

    const { iat, exp, ...claims } = await verifiedClaims(data.access_token);
    assert.equal(exp - iat, 600);
    assert.deepEqual(claims, {
        iss: `https://${domain}/`,
        sub: `${client.client_id}@clients`,
        aud: api.identifier,
        scope: "read:orders",
        gty: "client-credentials",
        azp: client.client_id,
    });
    await assert.rejects(oauth.clientCredentialsGrant({ audience: "https://unknown.example/" }), refused);
});
