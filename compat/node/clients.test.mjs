import assert from "node:assert/strict";
import { test } from "node:test";
import { Management } from "auth0";
import { createMachine, management } from "./tenant.mjs";

const auth0 = management();

async function listedIds() {
    const ids = [];
    for await (const client of await auth0.clients.list()) ids.push(client.client_id);
    return ids;
}

test("a client is created, read, listed, updated, given a new secret and deleted by the typed API", async () => {
    const created = await auth0.clients.create({
        name: "Shop",
        description: "Sells things",
        app_type: "regular_web",
        callbacks: ["https://shop.example/callback"],
        client_metadata: { team: "checkout", floor: "3" },
    });
    assert.equal(created.name, "Shop");
    assert.equal(created.app_type, "regular_web");
    assert.deepEqual(created.callbacks, ["https://shop.example/callback"]);
    assert.match(created.client_id, /^[A-Za-z0-9]{32}$/);
    assert.match(created.client_secret, /^[A-Za-z0-9_-]{64}$/);

    const read = await auth0.clients.get(created.client_id);
    assert.equal(read.client_secret, created.client_secret);
    assert.deepEqual(read.client_metadata, { team: "checkout", floor: "3" });
    const named = await auth0.clients.get(created.client_id, { fields: "name,app_type", include_fields: true });
    assert.deepEqual(named, { tenant: created.tenant, name: "Shop", app_type: "regular_web" });
    assert.ok((await listedIds()).includes(created.client_id));

    const updated = await auth0.clients.update(created.client_id, {
        name: "Shop 2",
        callbacks: [],
        client_metadata: { team: null, desk: "7" },
    });
    assert.equal(updated.name, "Shop 2");
    assert.equal(updated.description, "Sells things");
    const reread = await auth0.clients.get(created.client_id);
    assert.equal(reread.name, "Shop 2");
    assert.deepEqual(reread.callbacks, []);
    assert.deepEqual(reread.client_metadata, { floor: "3", desk: "7" });

    const rotated = await auth0.clients.rotateSecret(created.client_id);
    assert.equal(rotated.client_id, created.client_id);
    assert.match(rotated.client_secret, /^[A-Za-z0-9_-]{64}$/);
    assert.notEqual(rotated.client_secret, created.client_secret);
    assert.equal((await auth0.clients.get(created.client_id)).client_secret, rotated.client_secret);

    assert.equal(await auth0.clients.delete(created.client_id), undefined);
    await assert.rejects(auth0.clients.get(created.client_id), Management.NotFoundError);
    assert.ok(!(await listedIds()).includes(created.client_id));
});

test("a client is created, read, listed, updated, given a new secret and deleted with raw responses", async () => {
    const isJson = (response) => assert.match(response.headers.get("content-type"), /^application\/json\b/);

    const created = await auth0.clients.create({ name: "Raw shop", app_type: "spa" }).withRawResponse();
    const id = created.data.client_id;
    assert.equal(created.rawResponse.status, 201);
    isJson(created.rawResponse);

    const read = await auth0.clients.get(id).withRawResponse();
    assert.equal(read.rawResponse.status, 200);
    isJson(read.rawResponse);
    assert.equal(read.data.name, "Raw shop");

    const page = await auth0.clients.list({ app_type: "spa", per_page: 100 });
    assert.equal(page.rawResponse.status, 200);
    assert.deepEqual(Object.keys(page.response).sort(), ["clients", "limit", "start", "total"]);
    assert.ok(page.response.clients.some((client) => client.client_id === id));

    const updated = await auth0.clients.update(id, { description: "Changed" }).withRawResponse();
    assert.equal(updated.rawResponse.status, 200);
    assert.equal(updated.data.description, "Changed");

    const rotated = await auth0.clients.rotateSecret(id).withRawResponse();
    assert.equal(rotated.rawResponse.status, 200);
    assert.notEqual(rotated.data.client_secret, created.data.client_secret);

    const deleted = await auth0.clients.delete(id).withRawResponse();
    assert.equal(deleted.rawResponse.status, 204);
    await assert.rejects(auth0.clients.get(id).withRawResponse(), Management.NotFoundError);
});

test("after a rotation the old secret is refused and the new one works", async (t) => {
    const client = await createMachine(t, auth0);
    const { client_id, client_secret: oldSecret } = client;
    const grant = await auth0.clientGrants.create({
        client_id,
        audience: process.env.AUTH0_AUDIENCE,
        scope: ["read:clients"],
    });
    t.after(() => auth0.clientGrants.delete(grant.id));
    const readMyself = (clientSecret) =>
        management({ clientId: client_id, clientSecret }).clients.get(client_id, { fields: "client_id" });

    assert.equal((await readMyself(oldSecret)).client_id, client_id);
    const { client_secret: newSecret } = await auth0.clients.rotateSecret(client_id);
    await assert.rejects(readMyself(oldSecret), { statusCode: 401 });
    assert.equal((await readMyself(newSecret)).client_id, client_id);
});
