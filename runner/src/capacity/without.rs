//! In the place of [`super::Aws`] where it was not built: it cannot tell anything.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::Activity;
use super::counts::Seen;
use super::quota::Running;
use super::trail::Page;
use super::{CannotLook, Surroundings, Tagged};
use crate::domain::ids::Timestamp;

/// Profiles are not read.
pub async fn region_of_profile(_: &Surroundings) -> Option<String> {
    None
}

/// Nobody to ask.
#[derive(Debug, Clone)]
pub struct Aws {
    _region: String,
}

impl Aws {
    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn connect(_: &Surroundings, _: &str, _: Option<&str>) -> Result<Self, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn groups(&self, _: &[String]) -> Result<Vec<Seen>, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn end_at(&self, _: &str, _: Timestamp, _: u32) -> Result<(), CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn end_never(&self, _: &str) -> Result<(), CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn activities(&self, _: &str) -> Result<Vec<Activity>, CannotLook> {
        Err(CannotLook::NotBuilt)
    }
}

/// Nobody to ask.
#[derive(Debug, Clone)]
pub struct Signed {
    _region: String,
}

impl Signed {
    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn connect(_: &Surroundings, _: &str, _: Option<&str>) -> Result<Self, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn identity(&self) -> Result<String, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn tagged(&self, _: &str, _: &str) -> Result<Vec<Tagged>, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn object(&self, _: &str, _: &str) -> Result<Option<String>, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn lock_item(&self, _: &str, _: &str) -> Result<Option<String>, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn call(&self, _: &super::removal::Call) -> Result<super::element::Element, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn events(&self, _: &str, _: Timestamp) -> Result<Page, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn quota(&self, _: &str, _: &str) -> Result<u64, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn running(&self) -> Result<Vec<Running>, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn vcpus(&self, _: &BTreeSet<String>) -> Result<BTreeMap<String, u64>, CannotLook> {
        Err(CannotLook::NotBuilt)
    }

    /// Fails.
    ///
    /// # Errors
    /// Always [`CannotLook::NotBuilt`].
    #[expect(clippy::unused_async, reason = "as the real one")]
    pub async fn groups_had(&self) -> Result<(u64, u64), CannotLook> {
        Err(CannotLook::NotBuilt)
    }
}
