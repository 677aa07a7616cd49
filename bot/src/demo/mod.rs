//! `tidegate demo`: an environment of Terraform's built-in resources, so that nothing is downloaded and nothing costs money.

mod files;
mod tour;

use std::path::{Path, PathBuf};

pub use files::{DemoError, lay_out};
pub use tour::{Tour, TourError, tour};

/// Where the demo keeps everything, below the current folder.
pub const FOLDER: &str = ".tidegate/demo";

/// The demo's folder as an absolute path: Terraform runs elsewhere.
///
/// # Errors
/// When the current folder is gone.
pub fn folder() -> std::io::Result<PathBuf> {
    Ok(std::env::current_dir()?.join(FOLDER))
}

/// The demo's ledger in its folder.
#[must_use]
pub fn ledger(folder: &Path) -> PathBuf {
    folder.join(files::LEDGER)
}

/// Removes everything that the demo left, so that it begins anew. What it "raised" exists nowhere else.
///
/// # Errors
/// When something cannot be removed.
pub fn reset(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
