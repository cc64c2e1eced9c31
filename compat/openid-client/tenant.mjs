// What the tests share: openid-client's configurations for the server in the environment, and objects that clean up
// after themselves.
import { lookup } from "node:dns";
import { readFileSync } from "node:fs";
import * as oidc from "openid-client";
import { Agent, fetch } from "undici";

export const domain = process.env.AUTH0_DOMAIN;
export const issuer = new URL(`https://${domain}/`);
export const managementAudience = `https://${domain}/api/v2/`;

/** The names below `localhost` are this machine (RFC 6761), but not every system's resolver knows. */
function lookupLocal(name, options, done) {
    lookup(name.endsWith(".localhost") ? "127.0.0.1" : name, options, done);
}

/** A client of openid-client that discovers the server and proves itself in this way. */
export const discover = (clientId, authentication) => oidc.discovery(issuer, clientId, undefined, authentication);

/** One that proves itself by the certificate in `FILE.pem` and its key in `FILE.key`. */
export async function discoverWithCertificate(t, clientId, file) {
    const [cert, key] = [readFileSync(`${file}.pem`), readFileSync(`${file}.key`)];
    const dispatcher = new Agent({ connect: { cert, key, lookup: lookupLocal } });
    t.after(() => dispatcher.close());
    return oidc.discovery(issuer, clientId, { use_mtls_endpoint_aliases: true }, oidc.TlsClientAuth(), {
        [oidc.customFetch]: (url, options) => fetch(url, { ...options, dispatcher }),
    });
}

/** Asks for a token. */
export const grant = (config, audience = managementAudience) => oidc.clientCredentialsGrant(config, { audience });

export function claimsOf({ access_token }) {
    return JSON.parse(Buffer.from(access_token.split(".")[1], "base64url"));
}

const admin = await discover(process.env.AUTH0_CLIENT_ID, oidc.ClientSecretPost(process.env.AUTH0_CLIENT_SECRET));
const { access_token } = await grant(admin);

/** A request to the Management API. */
export async function manage(method, path, body) {
    const url = new URL(`/api/v2/${path}`, issuer);
    const headers = new Headers(body && { "content-type": "application/json" });
    const answer = await oidc.fetchProtectedResource(admin, access_token, url, method, JSON.stringify(body), headers);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
}

// Without it, discovery does not say where clients with certificates go.
await manage("PATCH", "tenants/settings", { mtls: { enable_endpoint_aliases: true } });

/** A machine-to-machine client that may call these APIs, until the test ends. */
export async function createMachine(t, settings, audiences = [managementAudience]) {
    const grant_types = ["client_credentials"];
    const body = { name: "Machine", app_type: "non_interactive", grant_types, ...settings };
    const client = await manage("POST", "clients", body);
    t.after(() => manage("DELETE", `clients/${client.client_id}`));
    for (const audience of audiences) {
        await manage("POST", "client-grants", { client_id: client.client_id, audience, scope: [] });
    }
    return client;
}

/** One that authenticates by a credential. */
export function createMachineWith(t, method, credential, audiences) {
    const client_authentication_methods = { [method]: { credentials: [credential] } };
    return createMachine(t, { jwt_configuration: { alg: "RS256" }, client_authentication_methods }, audiences);
}

/** What `assert.rejects` expects when a client's key or certificate is not believed. */
export const notBelieved = { name: "ResponseBodyError", status: 401, error: "invalid_client" };
