// The package's other entry point, `auth0/legacy`: the API of its version 4, which many programs still use.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ManagementApiError, ManagementClient } from "auth0/legacy";
import { domain } from "./tenant.mjs";

const auth0 = new ManagementClient({
    domain,
    clientId: process.env.AUTH0_CLIENT_ID,
    clientSecret: process.env.AUTH0_CLIENT_SECRET,
});

test("the legacy client manages clients and sees the status of each answer", async () => {
    const created = await auth0.clients.create({ name: "Old shop" });
    const { client_id } = created.data;
    assert.equal(created.status, 201);
    assert.equal((await auth0.clients.update({ client_id }, { name: "Older shop" })).data.name, "Older shop");
    assert.equal((await auth0.clients.get({ client_id })).data.name, "Older shop");
    const rotated = await auth0.clients.rotateClientSecret({ client_id });
    assert.notEqual(rotated.data.client_secret, created.data.client_secret);
    assert.equal((await auth0.clients.delete({ client_id })).status, 204);
    await assert.rejects(auth0.clients.get({ client_id }), (error) => {
        assert.ok(error instanceof ManagementApiError);
        assert.deepEqual([error.statusCode, error.errorCode], [404, "inexistent_client"]);
        return true;
    });
});

test("the legacy client lists clients as an array, with totals, and from checkpoint to checkpoint", async () => {
    // No other test makes clients of this type.
    const app_type = "sso_integration";
    const ids = [];
    while (ids.length < 3) ids.push((await auth0.clients.create({ name: "Listed", app_type })).data.client_id);
    const idsOf = (clients) => clients.map((client) => client.client_id);

    assert.deepEqual(idsOf((await auth0.clients.getAll({ app_type })).data), ids);
    const { data: second } = await auth0.clients.getAll({ app_type, page: 1, per_page: 2, include_totals: true });
    assert.deepEqual([second.total, second.start, idsOf(second.clients)], [3, 2, ids.slice(2)]);

    const { data: first } = await auth0.clients.getAll({ app_type, take: 2 });
    assert.deepEqual(idsOf(first.clients), ids.slice(0, 2));
    const { data: rest } = await auth0.clients.getAll({ app_type, take: 2, from: first.next });
    assert.deepEqual([idsOf(rest.clients), rest.next], [ids.slice(2), undefined]);

    for (const client_id of ids) await auth0.clients.delete({ client_id });
});
