import assert from "node:assert/strict";
import { test } from "node:test";
import { Management, ManagementClient, ManagementError } from "auth0";
import { AuthApiError } from "auth0/legacy";
import { authentication, createApi, createMachine, domain, management, managementAudience } from "./tenant.mjs";

const auth0 = management();

/** Asserts that the call fails with that class of the SDK, and that the body says the same as the status. */
async function fails(call, ErrorClass, statusCode, errorCode) {
    await assert.rejects(call, (error) => {
        assert.ok(error instanceof ErrorClass, `${error.constructor.name}: ${error.message}`);
        assert.equal(error.statusCode, statusCode);
        assert.equal(error.body.statusCode, statusCode);
        assert.equal(error.body.errorCode, errorCode);
        assert.ok(error.body.message.length > 0);
        assert.equal(error.rawResponse.status, statusCode);
        return true;
    });
}

test("an unknown client is a NotFoundError", async () => {
    const { clients } = auth0;
    await fails(clients.get("nobody"), Management.NotFoundError, 404, "inexistent_client");
    await fails(clients.update("nobody", { name: "X" }), Management.NotFoundError, 404, "inexistent_client");
    await fails(clients.rotateSecret("nobody"), Management.NotFoundError, 404, "inexistent_client");
});

test("a bad body is a BadRequestError", async () => {
    const { clients } = auth0;
    await fails(clients.create({ name: "" }), Management.BadRequestError, 400, "invalid_body");
    await fails(clients.create({ name: "X", colour: "red" }), Management.BadRequestError, 400, "invalid_body");
    await fails(clients.create({ name: "X", grant_types: ["theft"] }), Management.BadRequestError, 400, "invalid_body");
});

test("a bad query is a BadRequestError", async () => {
    const list = auth0.clients.list({ per_page: 101 });
    await fails(list, Management.BadRequestError, 400, "invalid_query_string");
});

test("an identifier that is taken is a ConflictError", async (t) => {
    const { identifier } = await createApi(t, auth0);
    const again = auth0.resourceServers.create({ identifier });
    await fails(again, Management.ConflictError, 409, "resource_server_conflict");
});

test("a token without the scope is a ForbiddenError", async (t) => {
    const { client_id: clientId, client_secret: clientSecret } = await createMachine(t, auth0);
    await auth0.clientGrants.create({ client_id: clientId, audience: managementAudience, scope: ["read:clients"] });
    const reader = management({ clientId, clientSecret });
    assert.equal((await reader.clients.get(clientId)).client_secret, undefined);
    await fails(reader.clients.create({ name: "X" }), Management.ForbiddenError, 403, "insufficient_scope");
});

test("a token that the server did not sign is an UnauthorizedError", async () => {
    const part = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
    const token = `${part({ alg: "RS256", typ: "JWT" })}.${part({ sub: "mallory" })}.${"A".repeat(342)}`;
    const stranger = new ManagementClient({ domain, token });
    await fails(stranger.clients.get("anything"), Management.UnauthorizedError, 401, undefined);
});

test("a wrong secret is refused by the management client and by the authentication client", async () => {
    const clientSecret = "not the secret";
    await assert.rejects(management({ clientSecret }).clients.list(), (error) => {
        assert.ok(error instanceof ManagementError);
        assert.equal(error.statusCode, 401);
        assert.deepEqual(error.body, { error: "access_denied", error_description: "Unauthorized" });
        return true;
    });
    const { oauth } = authentication({ client_id: process.env.AUTH0_CLIENT_ID, client_secret: clientSecret });
    await assert.rejects(oauth.clientCredentialsGrant({ audience: managementAudience }), (error) => {
        assert.ok(error instanceof AuthApiError);
        assert.deepEqual([error.statusCode, error.error], [401, "access_denied"]);
        return true;
    });
});
