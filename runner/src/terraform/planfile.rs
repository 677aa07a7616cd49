//! Whether a saved plan is whole. Terraform 1.11 ends with status 0 and "Saved the plan" also when the disk was full and the
//! file is empty or cut off; only the apply, perhaps hours later, would say so. And what is in it that the plan's messages do not
//! tell: against which state it was made, and which values it gives.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use prost::Message as _;
use sha2::{Digest as _, Sha256};
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

/// Most bytes of the state that are looked through.
const STATE_MAX: u64 = 256 << 20;

/// The state that a saved plan was made against, with what the plan read of each resource; `None` where it cannot be read, as of
/// OpenTofu's encrypted plans. It holds secrets.
#[must_use]
pub fn state_of(plan: &Path) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(File::open(plan).ok()?).ok()?;
    let state = archive.by_name("tfstate").ok()?;
    let mut text = Vec::new();
    let mut state = state.take(STATE_MAX);
    state.read_to_end(&mut text).ok()?;
    (state.limit() > 0).then_some(text)
}

/// Whether the state that a saved plan was made against names resources of a type; also true where that state cannot be read to its
/// end. False where the plan holds none, as a plan for a stack without a state.
#[must_use]
pub fn state_names(plan: &Path, resource_type: &str) -> bool {
    let Ok(file) = File::open(plan) else { return false };
    let Ok(mut archive) = ZipArchive::new(file) else { return false };
    let Ok(state) = archive.by_name("tfstate") else { return false };
    let wanted = format!("\"{resource_type}\"").into_bytes();
    let mut state = state.take(STATE_MAX);
    let mut window = Vec::with_capacity(2 * CHUNK);
    loop {
        let kept = window.len().min(wanted.len());
        window.drain(..window.len() - kept);
        match state.by_ref().take(CHUNK as u64).read_to_end(&mut window) {
            Ok(0) => return state.limit() == 0,
            Ok(_) if window.windows(wanted.len()).any(|part| part == wanted) => return true,
            Ok(_) => {}
            Err(_) => return true,
        }
    }
}

/// How much of a state is looked through at once.
const CHUNK: usize = 64 * 1024;

/// Most bytes of the plan that are unpacked: about a hundred thousand changes.
const PLAN_MAX: u64 = 256 << 20;

/// Hexadecimal digits of a digest that are kept: enough to tell two plans of one resource apart.
const DIGEST_LEN: usize = 16;

// The parts of a plan that are read. Source: Terraform's `internal/plans/planproto/planfile.proto`, whose numbers OpenTofu shares.

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PlanParts {
    #[prost(message, repeated, tag = "3")]
    pub(super) resource_changes: Vec<ResourceChange>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ResourceChange {
    #[prost(string, tag = "13")]
    pub(super) address: String,
    /// Of an object that another one has replaced, and that only goes.
    #[prost(string, tag = "7")]
    pub(super) deposed_key: String,
    #[prost(message, optional, tag = "9")]
    pub(super) change: Option<ValueChange>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ValueChange {
    #[prost(int32, tag = "1")]
    pub(super) action: i32,
    /// What is and what will be, where there is each.
    #[prost(message, repeated, tag = "2")]
    pub(super) values: Vec<DynamicValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DynamicValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) msgpack: Vec<u8>,
}

/// Digests of the values that the changes of a saved plan give, by address: of what is created, updated or replaced. Values that
/// only the apply will tell count as such. Empty where they cannot be told, as of OpenTofu's encrypted plans.
#[must_use]
pub fn values(plan: &Path) -> BTreeMap<String, String> {
    read_values(plan).unwrap_or_default()
}

/// The changes of a saved plan, also of what stays as it is; `None` where they cannot be told.
pub(super) fn parts(plan: &Path) -> Option<PlanParts> {
    let mut archive = ZipArchive::new(File::open(plan).ok()?).ok()?;
    let mut bytes = Vec::new();
    archive.by_name("tfplan").ok()?.take(PLAN_MAX).read_to_end(&mut bytes).ok()?;
    PlanParts::decode(bytes.as_slice()).ok()
}

fn read_values(plan: &Path) -> Option<BTreeMap<String, String>> {
    let parts = parts(plan)?;
    let given = parts.resource_changes.into_iter().filter(|change| change.deposed_key.is_empty());
    Some(given.filter_map(|change| Some((change.address, digest_of(&change.change?)?))).collect())
}

fn digest_of(change: &ValueChange) -> Option<String> {
    // Create, update, delete then create, create then delete, create then forget.
    let gives = matches!(change.action, 1 | 3 | 6 | 7 | 9);
    let value = change.values.last().filter(|_| gives)?;
    let digest = Sha256::digest(&value.msgpack);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().chars().take(DIGEST_LEN).collect())
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
