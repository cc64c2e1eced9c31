import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi, createMachine, management } from "./tenant.mjs";

const auth0 = management();

/** What `make` returns, one after the other. */
async function five(make) {
    const made = [];
    while (made.length < 5) made.push(await make());
    return made;
}

async function collect(pages, name) {
    const found = [];
    for await (const item of pages) found.push(item[name]);
    return found;
}

test("the SDK's iterator walks all clients page by page, in the order of their creation", async (t) => {
    // No other test makes clients of this type.
    const app_type = "native";
    const made = await five(() => createMachine(t, auth0, { app_type }));
    const ids = made.map((client) => client.client_id);

    const first = await auth0.clients.list({ app_type, per_page: 2, include_totals: true });
    const { total, start, limit, clients } = first.response;
    assert.deepEqual([total, start, limit, clients.length], [5, 0, 2, 2]);
    assert.deepEqual(await collect(first, "client_id"), ids);

    const second = await (await auth0.clients.list({ app_type, per_page: 2 })).getNextPage();
    assert.equal(second.response.start, 2);
    assert.deepEqual(second.data.map((client) => client.client_id), ids.slice(2, 4));
    assert.ok(second.hasNextPage());
    assert.ok(!(await second.getNextPage()).hasNextPage());

    // Without a page size the iterator stops only at an empty page.
    assert.deepEqual(await collect(await auth0.clients.list({ app_type }), "client_id"), ids);
});

test("the SDK's iterator walks APIs page by page, filtered by several identifiers", async (t) => {
    const made = await five(() => createApi(t, auth0));
    const identifiers = made.slice(1).map((api) => api.identifier);

    const page = await auth0.resourceServers.list({ identifiers, per_page: 3, include_totals: true });
    assert.deepEqual([page.response.total, page.data.length], [4, 3]);
    assert.deepEqual(await collect(page, "identifier"), identifiers);
});

test("the SDK's iterator walks client grants from checkpoint to checkpoint", async (t) => {
    const { identifier: audience } = await createApi(t, auth0);
    const made = await five(async () => {
        const { client_id } = await createMachine(t, auth0);
        return auth0.clientGrants.create({ client_id, audience, scope: [] });
    });
    const ids = made.map((grant) => grant.id).sort();

    const page = await auth0.clientGrants.list({ audience, take: 2 });
    assert.equal(page.data.length, 2);
    assert.equal(typeof page.response.next, "string");
    assert.deepEqual((await collect(page, "id")).sort(), ids);
    assert.equal(page.response.next, undefined);

    const whole = await auth0.clientGrants.list({ audience, take: 5 });
    assert.deepEqual([whole.data.length, whole.hasNextPage()], [5, false]);
});
