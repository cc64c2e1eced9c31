// One tenant from a configuration, and what becomes of it: the tests go on from each other.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Workspace } from "./tofu.mjs";

const { AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET, AUTH0_DOMAIN, SUITE_FILES } = process.env;

function newKey() {
    const publicKeyEncoding = { type: "spki", format: "pem" };
    const privateKeyEncoding = { type: "pkcs8", format: "pem" };
    return generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding });
}

function newCertificate() {
    const file = join(SUITE_FILES, "worker");
    const to = ["-keyout", `${file}.key`, "-out", `${file}.pem`];
    const options = ["-newkey", "rsa:2048", "-nodes", ...to, "-days", "2", "-subj", "/CN=worker"];
    execFileSync("openssl", ["req", "-x509", ...options], { stdio: ["ignore", "pipe", "pipe"] });
    return readFileSync(`${file}.pem`, "utf8");
}

const keys = { spring: newKey(), autumn: newKey(), winter: newKey() };
const certificate = newCertificate();

/** The variables of the configuration, with these keys for the invoice worker. */
const variables = (...names) => ({
    worker_keys: Object.fromEntries(names.map((name) => [name, keys[name].publicKey])),
    worker_certificate: certificate,
});

async function requestToken(members, headers = {}) {
    const response = await fetch(`https://${AUTH0_DOMAIN}/oauth/token`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ grant_type: "client_credentials", ...members }),
    });
    return { status: response.status, body: await response.json() };
}

function byBasic({ id, secret }, audience) {
    const credentials = [id, secret].map(encodeURIComponent).join(":");
    return requestToken({ audience }, { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` });
}

function byKey(id, key, audience) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: id, sub: id, aud: `https://${AUTH0_DOMAIN}/`, iat: now, exp: now + 60, jti: randomUUID() };
    const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
    return requestToken({
        client_id: id,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: `${signed}.${sign("sha256", Buffer.from(signed), key.privateKey).toString("base64url")}`,
        audience,
    });
}

/** Whether each key gets the invoice worker a token. */
async function assertKeys(workspace, expected) {
    const { invoice_worker: worker } = await workspace.outputs();
    for (const [name, status] of Object.entries(expected)) {
        const answer = await byKey(worker, keys[name], "https://invoices.shop.example/");
        assert.equal(answer.status, status, name);
    }
}

/** How many of them there are, with what every tenant has from the start. */
async function count(collection) {
    const audience = `https://${AUTH0_DOMAIN}/api/v2/`;
    const own = { client_id: AUTH0_CLIENT_ID, client_secret: AUTH0_CLIENT_SECRET };
    const { body } = await requestToken({ ...own, audience });
    const response = await fetch(`https://${AUTH0_DOMAIN}/api/v2/${collection}?per_page=100&include_totals=true`, {
        headers: { authorization: `Bearer ${body.access_token}` },
    });
    assert.equal(response.status, 200);
    return (await response.json()).total;
}

const collections = ["clients", "client-grants", "resource-servers", "connections", "organizations"];

const countAll = () => Promise.all(collections.map(count));

/** Nothing is left to do, and data sources find what the resources made. */
async function assertSettled(workspace) {
    const { empty, printed } = await workspace.plan();
    assert.ok(empty, printed);
    const { found, made } = await workspace.outputs();
    assert.deepEqual(found, made);
}

const idsOf = (resources) => Object.fromEntries(resources.map(({ address, values }) => [address, values.id]));

const before = await countAll();
const shop = new Workspace("shop", variables("spring", "autumn"));
const imported = new Workspace("imported", shop.variables);

test("a configuration is applied, and the next plan is empty", async () => {
    shop.lay("shop");
    await shop.apply();
    await assertSettled(shop);
});

test("clients that were made from a configuration get tokens", async () => {
    const { order_worker: worker } = await shop.outputs();
    assert.equal((await byBasic(worker, "https://orders.shop.example/")).status, 200);
    await assertKeys(shop, { spring: 200, autumn: 200, winter: 401 });
});

test("what was applied is imported into an empty state, and the next plan is empty", async () => {
    imported.lay("shop");
    const resources = idsOf(await shop.resources());
    const blocks = Object.entries(resources).map(
        ([address, id]) => `import {\n  to = ${address}\n  id = ${JSON.stringify(id)}\n}\n`,
    );
    imported.write("imports.tf", blocks.join("\n"));
    // No key or certificate can be read back, so that the provider writes them once more.
    const { changed, printed } = await imported.plan();
    assert.deepEqual(
        changed,
        {
            "auth0_client_credentials.invoice_worker": "update",
            "auth0_client_credentials.self_certified": "delete create",
        },
        printed,
    );
    await imported.apply();
    imported.remove("imports.tf");
    await assertSettled(imported);
    assert.deepEqual(idsOf(await imported.resources()), resources);
    await assertKeys(imported, { spring: 200, autumn: 200, winter: 401 });
});

test("a changed configuration is applied, and the next plan is empty", async () => {
    const resources = idsOf(await imported.resources());
    imported.lay("changed");
    imported.variables = variables("autumn", "winter");
    const { changed, printed } = await imported.plan();
    const gone = ['auth0_client.mtls_worker["self"]', "auth0_client_credentials.self_certified"];
    for (const address of gone) {
        assert.equal(changed[address], "delete", printed);
        delete resources[address];
    }
    // Another way to authenticate is another resource to the provider; the rest changes in place.
    const others = Object.entries(changed).filter(([address]) => !gone.includes(address));
    const anew = others.filter(([, actions]) => actions !== "update");
    assert.deepEqual(anew, [["auth0_client_credentials.certified", "delete create"]], printed);
    await imported.apply();
    await assertSettled(imported);
    assert.deepEqual(idsOf(await imported.resources()), resources);
    await assertKeys(imported, { spring: 401, autumn: 200, winter: 200 });
});

test("all is destroyed", async () => {
    await imported.must("destroy", "-auto-approve", "-input=false", "-no-color");
    assert.deepEqual(await imported.resources(), []);
    assert.deepEqual(await countAll(), before);
});
