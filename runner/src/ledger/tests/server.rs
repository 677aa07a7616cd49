//! A PostgreSQL server for the tests: the one that `TIDEGATE_TEST_POSTGRES` names, else an own one that ends with the
//! test process, however that ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::ledger::Address;

const VARIABLE: &str = "TIDEGATE_TEST_POSTGRES";
const INSTALL: &str = "PostgreSQL's programs are missing: apt-get install postgresql";

/// The server that all tests of this process share.
struct Server {
    options: PgConnectOptions,
    /// Stops the server once its standard input, which this process holds, is closed.
    _watchdog: Option<Child>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var(VARIABLE) {
        Ok(url) => {
            let options = url.parse().unwrap_or_else(|_| panic!("{VARIABLE} is not postgres://..."));
            Server { options, _watchdog: None }
        }
        Err(_) => Server::start(),
    })
}

impl Server {
    fn start() -> Self {
        let programs = programs().expect(INSTALL);
        let folder = tempfile::Builder::new().prefix("tidegate-pg-").tempdir().expect("a temporary folder").keep();
        // PostgreSQL refuses to run as the superuser.
        let user: &[&str] =
            if rustix::process::getuid().is_root() { &["runuser", "-u", "postgres", "--"] } else { &[] };
        if !user.is_empty() {
            run(&["chown", "postgres", text(&folder)]);
        }
        let data = folder.join("data");
        let (initdb, pg_ctl) = (programs.join("initdb"), programs.join("pg_ctl"));
        let init =
            [text(&initdb), "-D", text(&data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"];
        run(&[user, &init].concat());
        // A socket in a folder of its own: no port that somebody else could have. Nothing here must survive a power cut.
        let settings = format!(
            "-k {} -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=200",
            folder.display()
        );
        let log = folder.join("log");
        let start = [text(&pg_ctl), "-D", text(&data), "-l", text(&log), "-w", "-s", "-o", &settings, "start"];
        run(&[user, &start].concat());
        let stop = [text(&pg_ctl), "-D", text(&data), "-m", "immediate", "-s", "stop"];
        let script = format!("cat; {} {}; rm -rf {}", user.join(" "), stop.join(" "), folder.display());
        let watchdog = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let options = PgConnectOptions::new_without_pgpass().username("postgres").database("postgres").socket(&folder);
        Self { options, _watchdog: Some(watchdog) }
    }
}

/// The folder with `initdb` and `pg_ctl`: on the PATH, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    debian.sort();
    std::env::split_paths(&path)
        .chain(debian.into_iter().rev())
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a folder with a name in UTF-8")
}

fn run(words: &[&str]) {
    let (program, arguments) = words.split_first().expect("a program");
    let status = Command::new(program)
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status()
        .unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
    assert!(status.success(), "{words:?} ended with {status}");
}

/// A database of its own for one test; dropped with this value.
pub(super) struct Database {
    name: String,
}

impl Database {
    pub(super) async fn create() -> Self {
        let name = format!("tidegate_test_{}", uuid::Uuid::now_v7().simple());
        let mut connection = server().options.connect().await.expect("the test server answers");
        // Not from template1: two tests that copy it at the same time would be in each other's way.
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        sqlx::query(AssertSqlSafe(create)).execute(&mut connection).await.expect("a new database");
        connection.close().await.expect("a connection that closes");
        Self { name }
    }

    pub(super) fn address(&self) -> Address {
        Address::Postgres(Box::new(server().options.clone().database(&self.name)))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A thread of its own, because this also runs while a failed test unwinds inside its runtime.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                let mut connection = server().options.connect().await.map_err(std::io::Error::other)?;
                sqlx::query(AssertSqlSafe(drop)).execute(&mut connection).await.map_err(std::io::Error::other)
            })
        });
        let clean = matches!(dropped.join(), Ok(Ok(_)));
        assert!(clean || std::thread::panicking(), "the test database {} could not be dropped", self.name);
    }
}
