import assert from "node:assert/strict";
import { test } from "node:test";
import { Management } from "auth0";
import { createApi, createMachine, management } from "./tenant.mjs";

const auth0 = management();

async function createConnection(t, name) {
    const connection = await auth0.connections.create({
        name,
        strategy: "oidc",
        options: {
            type: "back_channel",
            client_id: "tenant",
            client_secret: "known to the provider",
            issuer: "https://idp.example/",
            authorization_endpoint: "https://idp.example/authorize",
            token_endpoint: "https://idp.example/token",
            jwks_uri: "https://idp.example/keys",
        },
    });
    t.after(() => auth0.connections.delete(connection.id));
    return connection;
}

test("a connection is read, updated, listed, and enabled for a client", async (t) => {
    const { id } = await createConnection(t, "node-corporate");
    const { client_id } = await createMachine(t, auth0);
    await auth0.connections.update(id, { display_name: "Head Office", show_as_button: true });
    const read = await auth0.connections.get(id);
    assert.deepEqual([read.display_name, read.options.issuer], ["Head Office", "https://idp.example/"]);
    const { data } = await auth0.connections.list({ strategy: ["oidc"], take: 50 });
    assert.ok(data.some((connection) => connection.id === id));

    const enabled = async () => (await auth0.connections.clients.get(id)).data.map((client) => client.client_id);
    await auth0.connections.clients.update(id, [{ client_id, status: true }]);
    assert.deepEqual(await enabled(), [client_id]);
    const ofClient = (await auth0.clients.connections.get(client_id)).data;
    assert.ok(ofClient.some((connection) => connection.id === id));
    await auth0.connections.clients.update(id, [{ client_id, status: false }]);
    assert.deepEqual(await enabled(), []);
});

test("an organization has connections and client grants until they are deleted", async (t) => {
    const { id } = await auth0.organizations.create({ name: "node-acme", display_name: "ACME" });
    t.after(() => auth0.organizations.delete(id));
    await auth0.organizations.update(id, { metadata: { tier: "gold" } });
    assert.deepEqual((await auth0.organizations.getByName("node-acme")).metadata, { tier: "gold" });

    const connection = await createConnection(t, "node-members");
    await auth0.organizations.enabledConnections.add(id, {
        connection_id: connection.id,
        assign_membership_on_login: true,
    });
    const { data: connections } = await auth0.organizations.enabledConnections.list(id);
    const shown = connections.map((one) => [one.connection.name, one.assign_membership_on_login]);
    assert.deepEqual(shown, [["node-members", true]]);

    const { identifier: audience } = await createApi(t, auth0);
    const { client_id } = await createMachine(t, auth0);
    const grant = await auth0.clientGrants.create({
        client_id,
        audience,
        scope: [],
        organization_usage: "allow",
        allow_any_organization: false,
    });
    await auth0.organizations.clientGrants.create(id, { grant_id: grant.id });
    const grants = async () => (await auth0.organizations.clientGrants.list(id)).data.map((one) => one.id);
    assert.deepEqual(await grants(), [grant.id]);
    await auth0.clientGrants.delete(grant.id);
    assert.deepEqual(await grants(), []);
    await auth0.organizations.enabledConnections.delete(id, connection.id);
    await assert.rejects(auth0.organizations.enabledConnections.get(id, connection.id), Management.NotFoundError);
});

test("the settings of the tenant are changed", async () => {
    const before = await auth0.tenants.settings.get();
    await auth0.tenants.settings.update({ friendly_name: "Node", flags: { revoke_refresh_token_grant: true } });
    const after = await auth0.tenants.settings.get();
    assert.deepEqual([after.friendly_name, after.flags.revoke_refresh_token_grant], ["Node", true]);
    assert.equal(after.session_lifetime, before.session_lifetime);
});
