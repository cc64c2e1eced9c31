//! Every help page and what is said of wrong usage, as snapshots; `SNAPSHOTS=overwrite cargo test` writes them anew.

use crate::PROGRAM;
use snapbox::{assert_data_eq, file};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Runs it as on a machine where nothing is set up.
fn bare(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args).env_clear().env("HOME", home).env("COLUMNS", "100").stdin(Stdio::null());
    command.output().unwrap()
}

/// The subcommands that a help page lists.
fn subcommands(page: &str) -> Vec<String> {
    let list = page.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(Into::into)
        .collect()
}

fn walk(home: &Path, path: &[String], visit: &mut impl FnMut(&[String], &str)) {
    let args: Vec<_> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let out = bare(home, &args);
    assert!(out.status.success() && out.stderr.is_empty(), "{args:?}");
    let page = String::from_utf8(out.stdout).unwrap();
    visit(path, &page);
    for name in subcommands(&page) {
        walk(home, &[path, &[name]].concat(), visit);
    }
}

#[test]
fn every_help_page_is_as_it_was_reviewed() {
    let home = TempDir::new().unwrap();
    let (mut pages, mut count) = (String::new(), 0);
    walk(home.path(), &[], &mut |path, page| {
        let _ = writeln!(
            pages,
            "$ tenantry {}--help\n{page}\n",
            path.iter().fold(String::new(), |all, one| all + one + " ")
        );
        count += 1;
    });
    assert!(count > 30, "{count} pages");
    assert_data_eq!(pages, file!["snapshots/help.txt"].raw());
}

#[test]
fn wrong_usage_says_what_to_do() {
    let home = TempDir::new().unwrap();
    let pem = home.path().join("not.json");
    std::fs::write(&pem, "[1]").unwrap();
    let document = home.path().join("keywords.yaml");
    std::fs::write(&document, "clients: [{name: '##WHO##'}]").unwrap();
    let odd = home.path().join("odd.yaml");
    std::fs::write(&odd, "client: []").unwrap();
    let (pem, document, odd) = (pem.to_str().unwrap(), document.to_str().unwrap(), odd.to_str().unwrap());
    let here = ["--domain", "localhost:1", "--token", "t"];
    let commands: Vec<Vec<&str>> = vec![
        vec!["clients", "list"],
        vec!["clients", "list", "--domain", "localhost:1"],
        vec!["clients", "list", "--profile", "nobody"],
        vec!["clients", "list", "--profile", "a", "--data-dir", "b"],
        vec!["clients", "list", "--all", "--page", "1"],
        vec!["clients", "list", "--data-dir", "/nonexistent"],
        [&["clients", "create"], &here[..]].concat(),
        [&["clients", "create", "--app-type", "spa"], &here[..]].concat(),
        [&["clients", "create", "--set", "novalue"], &here[..]].concat(),
        [&["clients", "create", "-f", pem], &here[..]].concat(),
        [&["clients", "create", "-f", "/nonexistent"], &here[..]].concat(),
        [&["clients", "update", "x", "--set", "callbacks=https://a.example/"], &here[..]].concat(),
        [&["clients", "update", "x", "--set", "name=1"], &here[..]].concat(),
        [&["clients", "list"], &here[..]].concat(),
        [&["clients", "get"], &here[..]].concat(),
        [&["apis", "create", "--name", "n"], &here[..]].concat(),
        [&["apis", "delete", "x"], &here[..]].concat(),
        [&["grants", "create", "--application", "x"], &here[..]].concat(),
        [&["credentials", "create", "x"], &here[..]].concat(),
        [&["apply", document], &here[..]].concat(),
        [&["apply", odd], &here[..]].concat(),
        [&["apply", "/nonexistent"], &here[..]].concat(),
        vec!["profiles", "add", "x"],
        vec!["profiles", "add", "x", "--domain", "d"],
        vec!["profiles", "add", "x", "--domain", "d", "--client-id", "c"],
        vec!["profiles", "use", "x"],
        vec!["completions", "tcsh"],
        vec!["man"],
        vec!["env"],
        vec!["token"],
        vec!["nothing"],
    ];
    let mut said = String::new();
    for args in commands {
        let out = bare(home.path(), &args);
        assert!(out.stdout.is_empty(), "{args:?}");
        let text = String::from_utf8(out.stderr).unwrap();
        let _ =
            writeln!(said, "$ tenantry {}\n{text}[exit {}]\n", args.join(" "), out.status.code().unwrap());
    }
    // What differs between systems.
    let said = said
        .replace(home.path().to_str().unwrap(), "[HOME]")
        .replace("[HOME]/Library/Application Support/tenantry", "[HOME]/.local/share/tenantry")
        .replace("(os error 61)", "(os error 111)");
    assert_data_eq!(said, file!["snapshots/errors.txt"].raw());
}

#[test]
fn completions_and_manual_pages_come_from_the_same_definitions() {
    let home = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = bare(home.path(), &["completions", shell]);
        let script = String::from_utf8(out.stdout).unwrap();
        assert!(
            out.status.success() && script.contains("rotate-secret") && script.contains("reveal-secrets"),
            "{shell}"
        );
    }
    let pages = home.path().join("man/man1");
    let out = bare(home.path(), &["man", "--out", pages.to_str().unwrap()]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    walk(home.path(), &[], &mut |path, _| {
        let name =
            ["tenantry"].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap_or_default();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    });
    let syntax = format!("{PROGRAM} completions bash | bash -n");
    assert!(Command::new("sh").args(["-c", &syntax]).status().unwrap().success());
}
