// One tenant, made from a file, and what becomes of it: the tests go on from each other.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { exportTo, filesOf, importFrom, planOf, readYaml, warningsIn, writeYaml } from "./a0deploy.mjs";

const shop = new URL("shop/tenant.yaml", import.meta.url).pathname;
const deletions = { AUTH0_ALLOW_DELETE: "true" };

async function exported() {
    const { input } = await exportTo("now", "yaml");
    return readYaml(input);
}

const namesOf = (items) => items.map((item) => item.name).sort();

const named = (items, name) => items.find((item) => item.name === name);

/** Whether everything that `part` says is in `whole`. Lists of objects are matched by their names. */
function assertSays(whole, part, path) {
    if (Array.isArray(part) && part.every((item) => item?.name)) {
        for (const item of part) assertSays(named(whole ?? [], item.name), item, `${path}[${item.name}]`);
    } else if (part !== null && typeof part === "object" && !Array.isArray(part)) {
        for (const [name, value] of Object.entries(part)) assertSays(whole?.[name], value, `${path}.${name}`);
    } else {
        assert.deepEqual(whole, part, path);
    }
}

/** Export, import, export again: the same files. */
async function assertFixedPoint(format) {
    const first = await exportTo("first", format);
    assert.deepEqual(warningsIn(first.printed), []);
    assert.deepEqual(warningsIn(await importFrom(first.input, deletions)), []);
    const second = await exportTo("second", format);
    assert.deepEqual(filesOf(second.folder), filesOf(first.folder));
    return first;
}

test("an empty tenant stays as it is when its export is imported", () => assertFixedPoint("yaml"));

test("a dry run names what a file would make, and makes nothing", async () => {
    const before = await exported();
    const plan = planOf(await importFrom(shop, {}, "--dry-run"));
    const { clients, resourceServers, connections, databases, organizations } = readYaml(shop);
    for (const [type, items] of Object.entries({ clients, resourceServers, connections, databases, organizations })) {
        const made = plan.filter((row) => row[0].toLowerCase() === type.toLowerCase() && row[1] === "CREATE");
        assert.deepEqual(made.map((row) => row[2]).sort(), namesOf(items), type);
    }
    assert.deepEqual(await exported(), before);
});

test("a tenant is made from a file, and its export says what the file says", async () => {
    assert.deepEqual(warningsIn(await importFrom(shop)), []);
    const { clientGrants, emailTemplates, ...said } = JSON.parse(
        JSON.stringify(readYaml(shop)).replaceAll("##SHOP_HOST##", "www.shop.example"),
    );
    // Keys are not given back, no more than an address of a mail server, and exports choose the names of files.
    const { credentials } = named(said.clients, "Invoice Worker").client_authentication_methods.private_key_jwt;
    for (const credential of credentials) delete credential.pem;
    delete said.emailProvider.credentials;
    delete named(said.clients, "Storefront").custom_login_page;
    delete named(said.pages, "error_page").html;
    delete emailTemplates[0].body;

    const made = await exported();
    assertSays(made, said, "tenant");
    const byName = (items, name) => items.map((item) => ({ ...item, name: name(item) }));
    const ofGrant = ({ client_id, audience }) => `${client_id} ${audience}`;
    assertSays(byName(made.clientGrants, ofGrant), byName(clientGrants, ofGrant), "clientGrants");
    const ofTemplate = ({ template }) => template;
    assertSays(byName(made.emailTemplates, ofTemplate), byName(emailTemplates, ofTemplate), "emailTemplates");
});

test("the tenant stays as it is when its export is imported, and a dry run knows that it will", async () => {
    const { input } = await assertFixedPoint("yaml");
    assert.match(await importFrom(input, {}, "--dry-run"), /No changes detected\./);
});

test("the tenant stays as it is when its export is a folder", () => assertFixedPoint("directory"));

test("what a file no longer names stays, or goes with all that refers to it, as AUTH0_ALLOW_DELETE says", async () => {
    const { folder, input } = await exportTo("before", "yaml");
    const before = readYaml(input);
    const without = (items, ...names) => items.filter((item) => !names.includes(item.name ?? item.client_id));
    const less = {
        ...before,
        clients: without(before.clients, "Storefront", "Order Worker"),
        clientGrants: without(before.clientGrants, "Storefront", "Order Worker"),
        organizations: without(before.organizations, "globex").map((one) => ({ ...one, client_grants: [] })),
    };
    for (const type of ["connections", "databases"]) {
        const enabled = (one) => one.enabled_clients.filter((name) => name !== "Storefront");
        less[type] = before[type].map((one) => ({ ...one, enabled_clients: enabled(one) }));
    }
    // Beside the export, whose pages it names.
    const file = join(folder, "less.yaml");
    writeYaml(file, less);

    const planned = planOf(await importFrom(file, {}, "--dry-run"));
    const gone = planned.filter(([type, action]) => type === "Clients" && action.startsWith("DELETE"));
    assert.deepEqual(gone.map((row) => row[2]).sort(), ["Order Worker", "Storefront"]);

    await importFrom(file);
    const kept = await exported();
    for (const type of ["clients", "resourceServers", "connections", "databases", "organizations"]) {
        assert.deepEqual(namesOf(kept[type]), namesOf(before[type]), type);
    }
    assert.equal(kept.clientGrants.length, before.clientGrants.length);

    await importFrom(file, deletions);
    assert.deepEqual(await exported(), less);
});
