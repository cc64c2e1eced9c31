// What the tests share: the SDK's clients for the server in the environment, and objects that clean up after
// themselves.
import { createPublicKey, randomUUID, verify } from "node:crypto";
import { ManagementClient } from "auth0";
import { AuthenticationClient } from "auth0/legacy";

export const domain = process.env.AUTH0_DOMAIN;
export const managementAudience = `https://${domain}/api/v2/`;

/** A management client that fetches its own token, as the administrator unless told otherwise. */
export function management({
    clientId = process.env.AUTH0_CLIENT_ID,
    clientSecret = process.env.AUTH0_CLIENT_SECRET,
} = {}) {
    return new ManagementClient({ domain, clientId, clientSecret });
}

/** The SDK's authentication client (in this version it is part of the legacy entry point). */
export function authentication(client) {
    return new AuthenticationClient({ domain, clientId: client.client_id, clientSecret: client.client_secret });
}

/** A machine-to-machine client that is deleted when the test ends. */
export async function createMachine(t, auth0, settings = {}) {
    const client = await auth0.clients.create({
        name: "Machine",
        app_type: "non_interactive",
        grant_types: ["client_credentials"],
        ...settings,
    });
    t.after(() => auth0.clients.delete(client.client_id));
    return client;
}

/** An API that is deleted when the test ends. */
export async function createApi(t, auth0) {
    const api = await auth0.resourceServers.create({
        name: "Orders",
        identifier: `https://orders.example/${randomUUID()}`,
        scopes: [
            { value: "read:orders", description: "Read orders" },
            { value: "write:orders", description: "Write orders" },
        ],
        token_lifetime: 600,
    });
    t.after(() => auth0.resourceServers.delete(api.id));
    return api;
}

/** The claims of a token whose signature is by a key that the server publishes. */
export async function verifiedClaims(token) {
    const [header, claims, signature] = token.split(".");
    const { alg, kid } = JSON.parse(Buffer.from(header, "base64url"));
    const { keys } = await (await fetch(`https://${domain}/.well-known/jwks.json`)).json();
    const key = createPublicKey({ key: keys.find((jwk) => jwk.kid === kid), format: "jwk" });
    const isValid = verify("RSA-SHA256", `${header}.${claims}`, key, Buffer.from(signature, "base64url"));
    if (alg !== "RS256" || !isValid) throw new Error(`not signed by the server (alg ${alg})`);
    return JSON.parse(Buffer.from(claims, "base64url"));
}
