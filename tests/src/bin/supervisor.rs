//! The supervisor of child processes as a program of its own, for tests that start no `tidegate`.

fn main() -> std::process::ExitCode {
    let dir = std::env::args_os().next_back().expect("a run folder");
    tidegate_runner::terraform::supervise(std::path::Path::new(&dir))
}
