//! Signed checkpoints: a place in the chain and its hash, to be kept where who can change the ledger cannot.
//!
//! The signature says only that the holder of the key made it. The key lies on the same machine as the ledger may, so that who has the
//! machine can sign another history as well: what proves something is the copy that was kept elsewhere.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::chain::Link;
use crate::domain::ids::Timestamp;

/// What stands first in each checkpoint, and in what is signed.
const KIND: &str = "audit checkpoint";

/// What is wrong with a checkpoint or its key.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file cannot be read or written.
    #[error("{file} cannot be used: {why}")]
    Io {
        /// Which.
        file: String,
        /// Why.
        why: std::io::Error,
    },
    /// The key file holds no key.
    #[error("{0} holds no key of ours: put back a copy, or move it away and a new key is made")]
    BadKey(String),
    /// No randomness for a new key.
    #[error("the system gives no random numbers for a key")]
    NoRandomness,
    /// The text is no checkpoint.
    #[error("this is no checkpoint")]
    NotOne,
    /// The signature does not fit the text.
    #[error("the signature does not fit: the checkpoint was altered")]
    BadSignature,
    /// Another key made it.
    #[error("it was signed with the key {0}, which is not the one expected")]
    OtherKey(String),
}

/// The key that checkpoints are signed with.
pub struct Key(Ed25519KeyPair);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Key").field(&self.public()).finish()
    }
}

impl Key {
    /// The key in this file; made, readable by its owner only, where there is none.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        match Self::read(path) {
            Err(CheckpointError::Io { why, .. }) if why.kind() == std::io::ErrorKind::NotFound => {
                Self::make(path)?;
                // Another process may have been faster: what is in the file counts.
                Self::read(path)
            }
            read => read,
        }
    }

    /// The key in this file.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = std::fs::read(path).map_err(io(path))?;
        Ed25519KeyPair::from_pkcs8(&bytes).map(Self).map_err(|_| CheckpointError::BadKey(path.display().to_string()))
    }

    fn make(path: &Path) -> Result<(), CheckpointError> {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| CheckpointError::NoRandomness)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io(path))?;
        }
        // Under another name first: nobody may find half a key.
        let new = path.with_extension(format!("{}.new", std::process::id()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).map_err(io(&new))?;
        file.write_all(key.as_ref()).and_then(|()| file.sync_all()).map_err(io(&new))?;
        let linked = std::fs::hard_link(&new, path);
        let _ = std::fs::remove_file(&new);
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(io(path)(error)),
            _ => Ok(()),
        }
    }

    /// The public half, in hexadecimal.
    #[must_use]
    pub fn public(&self) -> String {
        hex::encode(self.0.public_key().as_ref())
    }
}

/// A signed place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last entry at that time; it binds all before it.
    pub link: Link,
    /// When it was made, by the database's clock.
    pub at: Timestamp,
    /// Who signed it: a public key in hexadecimal.
    pub key: String,
    signature: String,
}

/// A checkpoint as it is in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    tidegate: String,
    seq: i64,
    hash: String,
    at: i64,
    key: String,
    signature: String,
}

impl Checkpoint {
    /// Signs the end of a chain that was found whole.
    #[must_use]
    pub fn sign(key: &Key, link: Link, at: Timestamp) -> Self {
        let signature = hex::encode(key.0.sign(signed(&link, at).as_bytes()));
        Self { link, at, key: key.public(), signature }
    }

    /// As it is written to a file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { link: Link { seq, hash }, at, key, signature } = self.clone();
        let text = Text { tidegate: KIND.to_owned(), seq, hash, at: at.0, key, signature };
        // A struct of texts and numbers cannot fail.
        serde_json::to_string_pretty(&text).unwrap_or_default() + "\n"
    }

    /// Reads one and checks its signature; with `key`, also that it was made with that one.
    pub fn from_text(text: &str, key: Option<&str>) -> Result<Self, CheckpointError> {
        let Text { tidegate, seq, hash, at, key: own, signature } =
            serde_json::from_str(text).map_err(|_| CheckpointError::NotOne)?;
        if tidegate != KIND || seq < 0 {
            return Err(CheckpointError::NotOne);
        }
        if key.is_some_and(|key| !key.trim().eq_ignore_ascii_case(&own)) {
            return Err(CheckpointError::OtherKey(own));
        }
        let (Ok(public), Ok(bytes)) = (hex::decode(&own), hex::decode(&signature)) else {
            return Err(CheckpointError::NotOne);
        };
        let (link, at) = (Link { seq, hash }, Timestamp(at));
        UnparsedPublicKey::new(&ED25519, public)
            .verify(signed(&link, at).as_bytes(), &bytes)
            .map_err(|_| CheckpointError::BadSignature)?;
        Ok(Self { link, at, key: own, signature })
    }
}

/// The text that is signed.
fn signed(link: &Link, at: Timestamp) -> String {
    format!("tidegate {KIND}\nseq {}\nhash {}\nat {}\n", link.seq, link.hash, at.0)
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> CheckpointError {
    let file = path.display().to_string();
    move |why| CheckpointError::Io { file: file.clone(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link { seq: 812, hash: "ab".repeat(32) }
    }

    #[test]
    fn a_checkpoint_is_read_back_and_every_change_of_it_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::open(&folder.path().join("state/audit.key")).unwrap();
        let checkpoint = Checkpoint::sign(&key, link(), Timestamp(1_700_000_000_000));
        let text = checkpoint.to_text();
        assert_eq!(Checkpoint::from_text(&text, Some(&key.public())).unwrap(), checkpoint);
        for (from, to) in [("812", "811"), ("abab", "abac"), ("1700000000000", "1700000000001")] {
            let altered = text.replacen(from, to, 1);
            assert!(matches!(Checkpoint::from_text(&altered, None), Err(CheckpointError::BadSignature)), "{altered}");
        }
        assert!(matches!(Checkpoint::from_text(&text, Some("00")), Err(CheckpointError::OtherKey(_))));
        for text in ["", "{}", "日本"] {
            assert!(matches!(Checkpoint::from_text(text, None), Err(CheckpointError::NotOne)), "{text}");
        }
    }

    #[test]
    fn the_key_is_made_once_and_only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        let first = Key::open(&path).unwrap().public();
        assert_eq!(Key::open(&path).unwrap().public(), first);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::write(&path, "no key").unwrap();
        assert!(matches!(Key::open(&path), Err(CheckpointError::BadKey(_))));
    }
}
