//! Whether a saved plan is whole. Terraform 1.11 ends with status 0 and "Saved the plan" also when the disk was full and the
//! file is empty or cut off; only the apply, perhaps hours later, would say so.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use zip::ZipArchive;

use crate::domain::failure::{Failure, FailureKind};

/// The last record of a ZIP file without a comment, in bytes. Source: APPNOTE.TXT 4.3.16, "End of central directory record".
const END_LEN: usize = 22;

/// Checks that the plan file `plan`, a ZIP file, was written to its end.
///
/// # Errors
/// [`FailureKind::Storage`] when it is not there, cannot be read, or is cut off.
pub fn check_plan_file(plan: &Path) -> Result<(), Box<Failure>> {
    let refused = |detail: String| {
        let summary = "the plan could not be saved: is the disk full?";
        Box::new(Failure::new(FailureKind::Storage, summary).with_detail(format!("{}: {detail}", plan.display())))
    };
    match is_whole(plan) {
        Ok(true) => Ok(()),
        Ok(false) => Err(refused("the file is cut off".to_owned())),
        Err(error) => Err(refused(error.to_string())),
    }
}

fn is_whole(plan: &Path) -> io::Result<bool> {
    let mut file = File::open(plan)?;
    let metadata = file.metadata()?;
    let Some(end_at) = metadata.len().checked_sub(END_LEN as u64).filter(|_| metadata.is_file()) else {
        return Ok(false);
    };
    file.seek(SeekFrom::Start(end_at))?;
    let mut end = [0_u8; END_LEN];
    file.read_exact(&mut end)?;
    let number = |at: usize| {
        let bytes = end.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        u64::from(u32::from_le_bytes(bytes))
    };
    // The directory (its size at 12, its place at 16) ends where this record begins.
    Ok(end.starts_with(b"PK\x05\x06") && number(12) + number(16) == end_at)
}

/// Most bytes of the state that are unpacked: its serial stands at its beginning, its secrets after that.
const STATE_HEAD: u64 = 4_096;

/// The serial of the state that a saved plan was made against; `None` where it cannot be told, as of OpenTofu's encrypted plans.
///
/// A plan is a ZIP file in which `tfstate` is that state. Source: Terraform's `internal/plans/planfile/writer.go` and
/// `internal/states/statefile/version4.go`.
#[must_use]
pub fn state_serial(plan: &Path) -> Option<u64> {
    let mut archive = ZipArchive::new(File::open(plan).ok()?).ok()?;
    let mut head = Vec::new();
    archive.by_name("tfstate").ok()?.take(STATE_HEAD).read_to_end(&mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    let (_, after) = head.split_once("\"serial\":")?;
    let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_is_empty_cut_off_or_missing_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = folder.path().join("p");
        let kind = || check_plan_file(&plan).map_err(|failure| failure.kind);
        assert_eq!(kind(), Err(FailureKind::Storage));
        // The smallest ZIP file: an empty directory of no bytes after ten bytes of something.
        let mut whole = b"0123456789PK\x05\x06".to_vec();
        whole.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0]);
        for len in 0..whole.len() {
            std::fs::write(&plan, &whole[..len]).expect("written");
            assert_eq!(kind(), Err(FailureKind::Storage), "{len} bytes");
        }
        std::fs::write(&plan, &whole).expect("written");
        assert_eq!(kind(), Ok(()));
        assert!(check_plan_file(Path::new("/dev/full")).is_err());
    }
}
