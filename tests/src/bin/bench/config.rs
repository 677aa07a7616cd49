//! A configuration of many files: how long it takes until it is read and held against its roots, and until `tidegate check` has
//! asked Terraform too.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Instant;

use tidegate_runner::config::{CheckOptions, check, load};
use tokio::process::Command;

use super::figures::{Durations, ms};
use super::world::tidegate;

const FILES: usize = 50;
const TIMES: usize = 10;

/// Measures, and prints the table.
pub(crate) async fn run(environments: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    lay(folder.path(), environments);
    let file = folder.path().join("tidegate.toml");
    let (mut read, mut held) = (Durations::default(), Durations::default());
    for _ in 0..TIMES {
        let begin = Instant::now();
        let config = load(&file).expect("a configuration");
        read.push(begin.elapsed());
        assert_eq!((config.environments.len(), config.unmanaged.len()), (environments, 0));
        let begin = Instant::now();
        let report = check(&config, &CheckOptions::default());
        held.push(begin.elapsed());
        assert!(!report.has_errors(), "{}", report.render(false));
    }
    println!("| {environments} environments in {FILES} files | |");
    println!("| --- | --- |");
    println!("| read | {} |", read.told());
    println!("| held against its roots | {} |", held.told());
    let begin = Instant::now();
    let mut command = Command::new(tidegate());
    let done =
        command.arg("check").current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).status().await;
    let how = if done.is_ok_and(|status| status.success()) { "" } else { " (FAILED)" };
    println!("| `tidegate check`, which asks Terraform too{how} | {} ms |", ms(begin.elapsed()));
}

/// One environment, and all others like it.
fn lay(folder: &std::path::Path, environments: usize) {
    let root = "variable \"servers\" {\n  type = number\n}\nvariable \"name\" {\n  type = string\n}\n";
    std::fs::create_dir_all(folder.join("app")).expect("a folder");
    std::fs::write(folder.join("app/main.tf"), root).expect("a root");
    let first = "include = ['teams/*.toml']\n[environments.e0]\nowners = ['local:ito']\nup = 'full'\ndown = 'small'\n\
        stacks = [{ name = 'app', root = 'app', workspace = '{env}', variables = { name = '{env}' } }]\n\
        [environments.e0.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";
    std::fs::write(folder.join("tidegate.toml"), first).expect("a file");
    std::fs::create_dir_all(folder.join("teams")).expect("a folder");
    let each = environments.div_ceil(FILES);
    for file in 0..FILES {
        let mut text = String::new();
        for number in (file * each).max(1)..((file + 1) * each).min(environments) {
            // Writing into a String cannot fail.
            let _ = write!(
                text,
                "[environments.e{number}]\nlike = 'e0'\ngroup = 'g{file}'\nprofiles.full.app.servers = {number}\n"
            );
        }
        std::fs::write(folder.join(format!("teams/{file}.toml")), text).expect("a file");
    }
}
