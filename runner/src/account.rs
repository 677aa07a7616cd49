//! The accounts of this machine, by the names that people know them by.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The name of the user as whom this process works; `None` when the operating system knows none.
#[must_use]
pub fn own_name() -> Option<String> {
    name_of(own_id())
}

/// The number of the user as whom this process works.
#[must_use]
pub fn own_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The user as whom this process works, for a sentence: `the user ito`.
#[must_use]
pub fn own() -> String {
    format!("the user {}", name_of(own_id()).unwrap_or_else(|| own_id().to_string()))
}

/// Whose a file or folder is, for a sentence; of one that is not there, whose the folder is that it would be in. `None` where that
/// cannot be told.
#[must_use]
pub fn owner_of(path: &Path) -> Option<String> {
    path.ancestors().find_map(|path| std::fs::metadata(path).ok()).map(|found| called(found.uid()))
}

fn called(id: u32) -> String {
    name_of(id).unwrap_or_else(|| format!("user {id}"))
}

/// Source: passwd(5).
fn name_of(id: u32) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, uid) = (fields.next()?, fields.nth(1)?);
        (uid == id.to_string()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_a_name_or_a_number() {
        assert_eq!(called(0), "root");
        assert_eq!(called(4_000_000_001), "user 4000000001");
        let folder = tempfile::tempdir().expect("a folder");
        let owner = owner_of(&folder.path().join("not/there")).expect("an owner");
        assert!(own().ends_with(owner.trim_start_matches("user ")), "{owner} is {}", own());
    }
}
