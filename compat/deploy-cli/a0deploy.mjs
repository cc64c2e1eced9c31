// Runs the command and reads what it writes.
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import yaml from "js-yaml";

const program = new URL("node_modules/.bin/a0deploy", import.meta.url).pathname;
const work = process.env.SUITE_FILES;
/** What the files leave open. Exports have such names in place of secrets, too. */
const keywords = {
    SHOP_HOST: "www.shop.example",
    CONNECTIONS_OIDC_SECRET: "known to the identity provider",
    CONNECTIONS_GOOGLE_OAUTH2_SECRET: "known to Google",
    SMTP_HOSTNAME: "smtp.shop.example",
    SMTP_PORT: "587",
    SMTP_USER: "shop",
    SMTP_PASS: "known to the mail server",
};

/** What the command printed. It fails the test if the command failed. */
async function run(args, env) {
    const { stdout, stderr } = await promisify(execFile)(program, args, {
        env: { ...process.env, ...keywords, ...env },
        maxBuffer: 1 << 24,
    }).catch(({ stdout, stderr }) => {
        throw new Error(`a0deploy ${args.join(" ")}\n${stdout}${stderr}`);
    });
    return stripVTControlCharacters(stdout + stderr);
}

/** Exports the tenant into a new folder. */
export async function exportTo(name, format) {
    const folder = join(work, name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    const printed = await run(["export", "--format", format, "--output_folder", folder]);
    return { folder, input: format === "yaml" ? join(folder, "tenant.yaml") : folder, printed };
}

/** Imports a YAML file or a folder; `env` are further settings. */
export function importFrom(input, env = {}, ...flags) {
    return run(["import", "--input_file", input, ...flags], env);
}

/** Each file below a folder with its text. */
export function filesOf(folder) {
    const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const names = paths.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

export const readYaml = (file) => yaml.load(readFileSync(file, "utf8"));

export const writeYaml = (file, document) => writeFileSync(file, yaml.dump(document));

/** The lines of the plan that a dry run prints: type, action, name. */
export function planOf(printed) {
    let type;
    const rows = printed.split("\n").filter((line) => line.startsWith("│")).slice(1);
    return rows.map((row) => {
        const [resource, action, name] = row.split("│").slice(1, 4).map((cell) => cell.trim());
        type = resource || type;
        return [type, action, name];
    });
}

/** What it warns of in any tenant: flags that are answered and not taken, and what is deprecated. */
const known = [
    /deemed incompatible with the target tenant/,
    /'oidc_backchannel_logout' parameter is deprecated/,
    /(Rules|Hooks) are deprecated/,
];

/** The warnings and errors in what the command printed. */
export function warningsIn(printed) {
    const lines = printed.split("\n").filter((line) => /- (warn|error): /.test(line));
    return lines.filter((line) => !known.some((pattern) => pattern.test(line)));
}
