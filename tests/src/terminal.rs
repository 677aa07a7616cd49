//! A terminal: the shipped binary behind a pseudo terminal, and what a person would see of it.

use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::process::tidegate;
use crate::yard::{DEADLINE, Yard};

/// Rows of a screen on which nothing that a test does scrolls away.
pub const TALL: u16 = 200;

/// A person at a terminal. Dropping it hangs up.
pub struct Terminal {
    input: pty_process::OwnedWritePty,
    screen: Arc<Mutex<vt100::Parser>>,
    child: tokio::process::Child,
}

impl Yard {
    /// Starts `tidegate ARGUMENTS` in a terminal of this width.
    #[must_use]
    pub fn terminal(&self, arguments: &[&str], columns: u16, env: &[(&str, &str)]) -> Terminal {
        self.terminal_of((TALL, columns), arguments, env)
    }

    /// [`Yard::terminal`], with this many rows and columns.
    #[must_use]
    pub fn terminal_of(&self, (rows, columns): (u16, u16), arguments: &[&str], env: &[(&str, &str)]) -> Terminal {
        let (pty, pts) = pty_process::open().expect("a pseudo terminal");
        pty.resize(pty_process::Size::new(rows, columns)).expect("a size");
        let command = pty_process::Command::new(tidegate())
            .args(arguments)
            .current_dir(self.path())
            .env("TERM", "xterm-256color")
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("NO_COLOR")
            .envs(env.iter().copied())
            .kill_on_drop(true);
        let child = command.spawn(pts).expect("tidegate");
        let (mut output, input) = pty.into_split();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let shown = Arc::clone(&screen);
        tokio::spawn(async move {
            let mut bytes = vec![0; 4096];
            // Linux ends the reading with an error once nobody has the terminal open any more.
            while let Ok(count @ 1..) = output.read(&mut bytes).await {
                shown.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..count]);
            }
        });
        Terminal { input, screen, child }
    }
}

impl Terminal {
    /// Presses keys, in one go.
    pub async fn types(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).await.expect("typed");
    }

    /// Types a line.
    pub async fn says(&mut self, line: &str) {
        self.types(&format!("{line}\r")).await;
    }

    /// Makes the window wider, narrower, higher or lower.
    pub fn resize(&self, rows: u16, columns: u16) {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner).screen_mut().set_size(rows, columns);
        self.input.resize(pty_process::Size::new(rows, columns)).expect("a size");
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw).expect("it runs");
        kill_process(pid, signal).expect("signalled");
    }

    /// True once the program itself deals with Ctrl-C.
    #[must_use]
    pub fn catches_ctrl_c(&self) -> bool {
        let status =
            self.child.id().map(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default());
        let caught = status.iter().flat_map(|text| text.lines()).find_map(|line| line.strip_prefix("SigCgt:"));
        // Bit 1 is signal 2. Source: proc(5).
        caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 0b10 != 0)
    }

    /// What is on the screen: lines without the blanks at their end.
    #[must_use]
    pub fn screen(&self) -> String {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.screen().contents()
    }

    /// The line that the cursor is in, up to the cursor.
    #[must_use]
    pub fn line(&self) -> String {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        let (row, column) = screen.screen().cursor_position();
        screen.screen().contents_between(row, 0, row, column)
    }

    /// True when any colour is on the screen.
    #[must_use]
    pub fn is_coloured(&self) -> bool {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        let screen = screen.screen();
        let (rows, columns) = screen.size();
        let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        cells.filter_map(|(row, column)| screen.cell(row, column)).any(|cell| cell.fgcolor() != vt100::Color::Default)
    }

    /// Waits until the screen is as asked, and gives it.
    ///
    /// # Panics
    /// When it does not become so.
    pub async fn until(&self, what: &str, is: impl Fn(&Self) -> bool) -> String {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while !is(self) {
            assert!(tokio::time::Instant::now() < deadline, "{what} does not come; the screen:\n{}", self.screen());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        self.screen()
    }

    /// Waits until these words are on the screen.
    pub async fn sees(&self, words: &str) -> String {
        self.until(words, |terminal| terminal.screen().contains(words)).await
    }

    /// Waits for the prompt with nothing typed yet.
    pub async fn prompted(&self) {
        self.until("the prompt", |terminal| terminal.line().trim_end().ends_with("@tidegate>")).await;
    }

    /// Waits for the end of the program and gives its exit status.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn ends(mut self) -> Option<i32> {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("it goes on; the screen:\n{}", self.screen())).expect("its status").code()
    }
}
