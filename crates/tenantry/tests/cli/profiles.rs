//! Which tenant a command means: options, variables, profiles, the server of this machine.

use crate::{PROGRAM, env, serve};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Someone's machine.
struct Home {
    dir: TempDir,
}

impl Home {
    fn file(&self) -> PathBuf {
        self.dir.path().join("profiles/all.toml")
    }

    /// Runs a command; returns its exit code and everything it said.
    fn run(&self, args: &[&str], variables: &[(&str, &str)], input: &str) -> (i32, String) {
        let mut child = Command::new(PROGRAM)
            .args(args)
            .env_clear()
            .env("HOME", self.dir.path())
            .env("TENANTRY_PROFILES", self.file())
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that asks for nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let out = child.wait_with_output().unwrap();
        let text = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        (out.status.code().unwrap(), text)
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_profile_holds_a_connection_for_its_owner_alone() {
    let home = Home { dir: TempDir::new().unwrap() };
    let data = home.dir.path().join("data");
    let server = serve(&data, &[]);
    let env = env(&data);
    let (domain, id, secret) = (&env["AUTH0_DOMAIN"], &env["AUTH0_CLIENT_ID"], &env["AUTH0_CLIENT_SECRET"]);
    let ca = &env["NODE_EXTRA_CA_CERTS"];

    let add = [
        "profiles",
        "add",
        "remote",
        "--domain",
        domain,
        "--client-id",
        id,
        "--ca-cert",
        ca,
        "--secret-stdin",
    ];
    let (code, said) = home.run(&add, &[], &format!("{secret}\n"));
    assert_eq!(code, 0, "{said}");
    assert_eq!(mode(&home.file()), 0o600);
    assert_eq!(mode(home.file().parent().unwrap()), 0o700);
    assert!(home.run(&["clients", "list"], &[], "").1.contains("Tenantry Admin"));
    let (code, said) = home.run(&add, &[], "x");
    assert!(code == 1 && said.contains("there is a profile `remote` already"), "{said}");

    let (_, said) = home.run(&["profiles", "list", "--json"], &[], "");
    assert!(said.contains("[hidden]") && !said.contains(secret.as_str()), "{said}");

    std::fs::set_permissions(home.file(), std::fs::Permissions::from_mode(0o640)).unwrap();
    let (code, said) = home.run(&["clients", "list"], &[], "");
    assert!(
        code == 1 && said.contains("others may use it (mode 0640)") && said.contains("chmod 600"),
        "{said}"
    );
    std::fs::set_permissions(home.file(), std::fs::Permissions::from_mode(0o600)).unwrap();

    std::fs::write(home.file(), "active = \"a\"\n[profiles.a]\nclient_secret = s3cr3t-in-no-message\n")
        .unwrap();
    let (code, said) = home.run(&["clients", "list"], &[], "");
    assert!(code == 1 && said.contains("all.toml") && !said.contains("s3cr3t"), "{said}");
    assert_eq!(server.stop("TERM").0, Some(0));
}

#[test]
fn options_count_before_variables_and_these_before_profiles_and_the_local_server() {
    let home = Home { dir: TempDir::new().unwrap() };
    let data = home.dir.path().join("data");
    let server = serve(&data, &[]);
    let data = data.to_str().unwrap();
    let list = ["apis", "list"];
    let reaches = |args: &[&str], variables: &[(&str, &str)]| {
        let (code, said) = home.run(&[&list, args].concat(), variables, "");
        assert!(code == 0 || code == 1, "{said}");
        // Nothing answers at the other places.
        assert!(code == 0 || said.contains("cannot connect"), "{said}");
        code == 0
    };
    let local = ("TENANTRY_DATA_DIR", data);
    let dead = [("AUTH0_DOMAIN", "localhost:1"), ("AUTH0_API_TOKEN", "t"), local];
    assert!(reaches(&[], &[local]), "the server of this machine");
    assert!(!reaches(&[], &dead), "variables before it");
    assert!(reaches(&["--data-dir", data], &dead), "options before variables");

    let add = ["profiles", "add", "dead", "--domain", "localhost:1", "--token", "t"];
    assert_eq!(home.run(&add, &[], "").0, 0);
    assert_eq!(home.run(&["profiles", "add", "here", "--data-dir", data], &[], "").0, 0);
    assert!(!reaches(&[], &[local]), "the profile in use before the server of this machine");
    assert!(reaches(&[], &[local, ("TENANTRY_PROFILE", "here")]), "the named before the one in use");
    assert!(
        !reaches(&[], &[&dead[..], &[("TENANTRY_PROFILE", "here")]].concat()),
        "variables before profiles"
    );
    assert!(reaches(&["--profile", "here"], &dead), "a profile as an option before variables");
    assert!(
        !reaches(&["--profile", "here", "--domain", "localhost:1", "--token", "t"], &[]),
        "options over a profile"
    );
    assert_eq!(home.run(&["profiles", "use", "here"], &[], "").0, 0);
    assert!(reaches(&[], &[]));

    let (code, said) = home.run(&["profiles", "remove", "here"], &[], "y\n");
    assert!(code == 1 && said.contains("--yes"), "{said}");
    assert_eq!(home.run(&["profiles", "remove", "here", "--yes"], &[], "").0, 0);
    assert!(reaches(&[], &[local]), "no profile is in use any more");
    assert_eq!(server.stop("TERM").0, Some(0));
}
