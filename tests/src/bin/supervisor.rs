//! The supervisor of child processes as a program of its own, for tests that start no `tidegate`.

fn main() -> std::process::ExitCode {
    tidegate_runner::terraform::supervise()
}
