// Certificates by the `openssl` command: authorities, and client certificates that they issue.
//
// As a program, `node certificates.mjs DIR` makes the authority that the server trusts.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

function openssl(...args) {
    try {
        execFileSync("openssl", args, { stdio: ["ignore", "pipe", "pipe"] });
    } catch (error) {
        if (error.code === "ENOENT") throw new Error("these tests need the `openssl` command, which is not in PATH");
        throw new Error(`openssl ${args[0]} failed: ${error.stderr}`);
    }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Makes `NAME.pem` and `NAME.key` of an authority in that directory. */
export function makeAuthority(directory, name) {
    mkdirSync(directory, { recursive: true });
    const file = join(directory, name);
    const to = ["-keyout", `${file}.key`, "-out", `${file}.pem`];
    openssl("req", "-x509", ...newKey, ...to, "-days", "2", "-subj", "/O=Compat authority");
    return file;
}

/** Makes `NAME.pem` and `NAME.key` of a client, issued by an authority or else by itself. */
export function makeCertificate(directory, name, subject, authority) {
    const file = join(directory, name);
    writeFileSync(`${file}.ext`, "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n");
    openssl("req", "-new", ...newKey, "-keyout", `${file}.key`, "-out", `${file}.csr`, "-subj", subject);
    const issuer = authority
        ? ["-CA", `${authority}.pem`, "-CAkey", `${authority}.key`, "-set_serial", `${Date.now()}`]
        : ["-signkey", `${file}.key`];
    const from = ["-in", `${file}.csr`, "-extfile", `${file}.ext`];
    openssl("x509", "-req", ...from, ...issuer, "-out", `${file}.pem`, "-days", "2");
    return file;
}

if (argv[1] === fileURLToPath(import.meta.url)) makeAuthority(argv[2], "authority");
