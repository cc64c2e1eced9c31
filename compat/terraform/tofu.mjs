// Runs the command in a folder of its own, with the provider that was built and no registry.
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const here = new URL(".", import.meta.url).pathname;
const built = join(here, "bin");
const settings = join(process.env.SUITE_FILES, "tofu.rc");
writeFileSync(settings, `provider_installation {\n  dev_overrides { "auth0/auth0" = ${JSON.stringify(built)} }\n}\n`);

export class Workspace {
    /** An empty state in a new folder; `variables` are those of the configuration. */
    constructor(name, variables) {
        this.folder = join(process.env.SUITE_FILES, name);
        this.variables = variables;
        mkdirSync(this.folder);
    }

    /** Lays the files of a folder over what is there. */
    lay(folder) {
        cpSync(join(here, folder), this.folder, { recursive: true });
    }

    write(file, text) {
        writeFileSync(join(this.folder, file), text);
    }

    remove(file) {
        rmSync(join(this.folder, file));
    }

    /** What the command printed, and how it ended. */
    async tofu(...args) {
        const variables = Object.entries(this.variables).map(([name, value]) => [
            `TF_VAR_${name}`,
            typeof value === "string" ? value : JSON.stringify(value),
        ]);
        const env = { ...process.env, TF_CLI_CONFIG_FILE: settings, TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1" };
        const options = { cwd: this.folder, env: { ...env, ...Object.fromEntries(variables) }, maxBuffer: 1 << 26 };
        return promisify(execFile)(join(built, "tofu"), args, options).then(
            ({ stdout }) => ({ code: 0, stdout }),
            ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
        );
    }

    /** What the command printed. Fails the test unless the command succeeded. */
    async must(...args) {
        const { code, stdout, stderr } = await this.tofu(...args);
        if (code !== 0) throw new Error(`tofu ${args.join(" ")}\n${stderr}`);
        return stdout;
    }

    apply() {
        return this.must("apply", "-auto-approve", "-input=false", "-no-color");
    }

    /** The addresses that a plan would change, each with its actions; none if there is nothing to do. */
    async plan() {
        const { code, stdout, stderr } = await this.tofu(
            ...["plan", "-detailed-exitcode", "-input=false", "-no-color", "-out=plan"],
        );
        if (code !== 0 && code !== 2) throw new Error(`tofu plan\n${stderr}`);
        const { resource_changes: changes = [] } = JSON.parse(await this.must("show", "-json", "plan"));
        const planned = changes.map(({ address, change }) => [address, change.actions.join(" ")]);
        const changed = planned.filter(([, actions]) => actions !== "no-op" && actions !== "read");
        return { empty: code === 0, changed: Object.fromEntries(changed), printed: stdout };
    }

    /** The resources in the state; those that are only read are left out. */
    async resources() {
        const { values } = JSON.parse(await this.must("show", "-json"));
        return (values?.root_module.resources ?? []).filter(({ mode }) => mode === "managed");
    }

    async outputs() {
        const outputs = JSON.parse(await this.must("output", "-json"));
        return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
    }
}
