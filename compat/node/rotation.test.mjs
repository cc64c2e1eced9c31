// A client gets a new key, or new secrets, while it keeps asking for tokens: no request may fail.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ManagementClient } from "auth0";
import { AuthenticationClient } from "auth0/legacy";
import { createMachine, domain, management, managementAudience } from "./tenant.mjs";

const auth0 = management();

/** A key pair in PEM. */
function newKey() {
    return generateKeyPairSync("rsa", {
        modulusLength: 2048,
        publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
}

/** A machine-to-machine client that may read clients. */
async function createReader(t, settings) {
    const client = await createMachine(t, auth0, settings);
    const { client_id } = client;
    await auth0.clientGrants.create({ client_id, audience: managementAudience, scope: ["read:clients"] });
    return client;
}

/** A reader that authenticates by this key. */
function createKeyReader(t, { publicKey }) {
    return createReader(t, {
        jwt_configuration: { alg: "RS256" },
        client_authentication_methods: {
            private_key_jwt: { credentials: [{ credential_type: "public_key", name: "first", pem: publicKey }] },
        },
    });
}

/** A function that asks for a token, and never twice on its own account. */
function asker(clientId, { privateKey: clientAssertionSigningKey, secret: clientSecret }) {
    const retry = { enabled: false };
    const options = clientSecret ? { clientSecret } : { clientAssertionSigningKey };
    const { oauth } = new AuthenticationClient({ domain, clientId, retry, ...options });
    return () => oauth.clientCredentialsGrant({ audience: managementAudience });
}

/** Starts to send `total` requests, four at a time. */
function startLoad(total, send) {
    const [pending, failures] = [new Set(), []];
    let [started, answered] = [0, 0];
    async function work() {
        while (started < total) {
            started++;
            const request = send().catch((error) => failures.push(error));
            pending.add(request);
            await request;
            pending.delete(request);
            answered++;
        }
    }
    return {
        failures,
        done: Promise.all(Array.from({ length: 4 }, work)),
        answered: () => answered,
        /** Waits for so many answers. */
        async reached(count) {
            while (answered < count) await pause(2);
        },
        /** Waits for the answers to what is on its way now. */
        settled: () => Promise.all(pending),
    };
}

test("a client with a public key authenticates by assertions, for tokens and for the Management API", async (t) => {
    const key = newKey();
    const client = await createKeyReader(t, key);
    const { client_id } = client;
    assert.equal(client.client_secret, undefined);
    const [{ id, ...shown }] = client.client_authentication_methods.private_key_jwt.credentials;
    assert.match(id, /^cred_/);
    assert.deepEqual([shown.credential_type, shown.name, shown.alg], ["public_key", "first", "RS256"]);

    const { data } = await asker(client_id, key)();
    assert.equal(data.scope, "read:clients");
    const self = new ManagementClient({
        domain,
        clientId: client_id,
        clientAssertionSigningKey: key.privateKey,
    });
    assert.equal((await self.clients.get(client_id)).name, "Machine");
    await assert.rejects(asker(client_id, newKey())(), { statusCode: 401, error: "invalid_client" });
    await assert.rejects(asker(client_id, { secret: "any" })(), { statusCode: 401 });
});

test("a client changes its key during a thousand token requests, and none of them fails", async (t) => {
    const [one, two] = [newKey(), newKey()];
    const { client_id, client_authentication_methods: methods } = await createKeyReader(t, one);
    const first = methods.private_key_jwt.credentials[0].id;
    const { credentials } = auth0.clients;
    const enable = (...ids) =>
        auth0.clients.update(client_id, {
            client_authentication_methods: { private_key_jwt: { credentials: ids.map((id) => ({ id })) } },
        });

    let ask = asker(client_id, one);
    const load = startLoad(1000, () => ask());
    await load.reached(200);
    const body = { credential_type: "public_key", name: "second", pem: two.publicKey };
    const { id: second } = await credentials.create(client_id, body);
    await load.reached(300);
    await enable(first, second);
    await load.reached(500);
    ask = asker(client_id, two);
    await load.settled();
    await enable(second);
    await load.reached(700);
    await credentials.delete(client_id, first);
    assert.ok(load.answered() < 1000, "the first key went while requests were sent");
    await load.done;
    assert.deepEqual([load.failures, load.answered()], [[], 1000]);

    await assert.rejects(asker(client_id, one)(), { statusCode: 401, error: "invalid_client" });
    const left = await credentials.list(client_id);
    assert.deepEqual(left.map((credential) => credential.id), [second]);
});

test("a secret is rotated a hundred times with grace periods, and nobody who learns it late is refused", async (t) => {
    const client = await createReader(t);
    const { client_id } = client;
    /** Rotates by the SDK's own way to send what it has no method for. */
    async function rotate(grace_period_seconds) {
        const answer = await auth0.fetch(`clients/${client_id}/rotate-secret`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ grace_period_seconds }),
        });
        assert.equal(answer.status, 200, await answer.clone().text());
        return (await answer.json()).client_secret;
    }

    const failures = [];
    let [requests, isOver] = [0, false];
    const ask = asker(client_id, { secret: client.client_secret });
    const workers = [1, 2, 3].map(() => ({ number: 0, ask }));
    const work = workers.map(async (worker) => {
        while (!isOver) {
            requests++;
            await worker.ask().catch((error) => failures.push(error));
            await pause(10);
        }
    });
    let [newest, before, asked] = [client.client_secret];
    for (let number = 1; number <= 100; number++) {
        [before, asked] = [newest, Date.now()];
        newest = await rotate(number < 100 ? 1 : 2);
        const ask = asker(client_id, { secret: newest });
        for (const worker of workers) {
            setTimeout(() => {
                if (worker.number < number) Object.assign(worker, { number, ask });
            }, Math.random() * 300);
        }
        // No more than ten secrets may be valid at once.
        await pause(120);
    }
    await pause(300);
    isOver = true;
    await Promise.all(work);
    assert.deepEqual(failures, []);
    assert.ok(requests >= 100, `${requests} requests, not one for each secret`);
    assert.deepEqual(workers.map((worker) => worker.number), [100, 100, 100]);

    async function isAccepted(secret) {
        try {
            return Boolean(await asker(client_id, { secret })());
        } catch (error) {
            assert.equal(error.statusCode, 401);
            return false;
        }
    }
    assert.ok(await isAccepted(before), "its grace period has not passed");
    const end = asked + 2000;
    while (await isAccepted(before)) {
        assert.ok(Date.now() < end + 1000, "refused within a second of the end of the grace period");
        await pause(50);
    }
    assert.ok(Date.now() >= end, "not refused before the end of the grace period");
    assert.ok(await isAccepted(newest));
});
