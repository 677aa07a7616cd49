//! No core dumps: memory with secrets in it must not become a file.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Switches core dumps off for this process and all that it starts. On Linux other processes of the same user cannot look into its
/// memory either.
///
/// Call it before anything else. What the system refuses is no reason not to start.
pub fn no_core_dumps() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        // Beside the limit, which a program that gets dumps through a pipe is not held to (core(5)).
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}
