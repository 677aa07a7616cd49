//! A PostgreSQL database for one test: on the server that `TIDEGATE_TEST_POSTGRES` names, else on an own one that ends with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The variable with the server's address, `postgres://...`; `tests/run` sets it.
const VARIABLE: &str = "TIDEGATE_TEST_POSTGRES";

/// A database of its own. Dropping it drops the database, or ends the server that was started for it.
#[derive(Debug)]
pub struct Database {
    url: String,
    end: End,
}

#[derive(Debug)]
enum End {
    Drop { server: String, name: String },
    Stop { programs: PathBuf, folder: tempfile::TempDir },
}

impl Database {
    /// An empty database.
    #[must_use]
    pub fn new() -> Self {
        match std::env::var(VARIABLE) {
            Ok(server) => {
                let name = format!("tidegate_e2e_{}", std::process::id());
                psql(&server, &format!("CREATE DATABASE {name} TEMPLATE template0"));
                let (front, _) = server.rsplit_once('/').expect("postgres://server/database");
                Self { url: format!("{front}/{name}"), end: End::Drop { server, name } }
            }
            Err(_) => Self::own("fsync=off"),
        }
    }

    /// An empty database on a server of its own, whose commits survive a power cut: for figures.
    #[must_use]
    pub fn durable() -> Self {
        Self::own("fsync=on")
    }

    /// An empty database on a server of its own, and the folder with its socket.
    ///
    /// # Panics
    /// When there is no PostgreSQL.
    #[must_use]
    pub fn apart() -> (Self, PathBuf) {
        let database = Self::own("fsync=off");
        let End::Stop { folder, .. } = &database.end else { panic!("a server of its own") };
        let folder = folder.path().to_owned();
        (database, folder)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn own(durability: &str) -> Self {
        let programs = programs().expect("PostgreSQL's programs are missing: apt-get install postgresql");
        let folder = tempfile::Builder::new().prefix("tidegate-pg.").tempdir().expect("a folder");
        if rustix::process::geteuid().is_root() {
            run(&["chown", "postgres", text(folder.path())]);
        }
        let (data, log) = (folder.path().join("data"), folder.path().join("log"));
        let (initdb, pg_ctl) = (programs.join("initdb"), programs.join("pg_ctl"));
        let init = ["-D", text(&data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"];
        as_postgres(&[&[text(&initdb)], &init[..]].concat());
        // A socket in a folder of its own: no port that somebody else could have.
        let settings = format!("-k {} -c listen_addresses= -c {durability}", folder.path().display());
        let start = ["-D", text(&data), "-l", text(&log), "-w", "-s", "-o", &settings, "start"];
        as_postgres(&[&[text(&pg_ctl)], &start[..]].concat());
        let url = format!("postgres://postgres@localhost/postgres?host={}", folder.path().display());
        Self { url, end: End::Stop { programs, folder } }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        match &self.end {
            End::Drop { server, name } => psql(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")),
            End::Stop { programs, folder } => {
                let (pg_ctl, data) = (programs.join("pg_ctl"), folder.path().join("data"));
                as_postgres(&[text(&pg_ctl), "-D", text(&data), "-m", "immediate", "-s", "stop"]);
            }
        }
    }
}

/// The folder with `initdb` and `pg_ctl`: on the PATH, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let mut folders = std::env::split_paths(&path).chain(debian.into_iter().rev());
    folders.find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a folder with a name in UTF-8")
}

fn psql(server: &str, sql: &str) {
    run(&["psql", "-q", "-X", "-d", server, "-c", sql]);
}

/// PostgreSQL refuses to run as the superuser.
fn as_postgres(words: &[&str]) {
    let user: &[&str] = if rustix::process::geteuid().is_root() { &["runuser", "-u", "postgres", "--"] } else { &[] };
    run(&[user, words].concat());
}

fn run(words: &[&str]) {
    let (program, arguments) = words.split_first().expect("a program");
    let mut command = Command::new(program);
    command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status().unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
    assert!(status.success() || std::thread::panicking(), "{words:?} ended with {status}");
}
