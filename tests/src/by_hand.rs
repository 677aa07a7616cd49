//! People who work on a yard's stacks by hand, with the real Terraform.

use std::path::{Path, PathBuf};

use crate::process::Told;
use crate::yard::Yard;

impl Yard {
    /// The addresses in a stack's state, as Terraform started by hand in its folder tells them.
    pub async fn in_state(&self, environment: &str, stack: &str) -> Vec<String> {
        let folder = self.by_hand(environment, stack);
        let list = self.terraform(&folder, &["state", "list"]).await;
        list.out.lines().map(str::to_owned).collect()
    }

    /// A folder in which a person could run Terraform on a stack's state: its root, initialised.
    #[must_use]
    pub fn by_hand(&self, environment: &str, stack: &str) -> PathBuf {
        self.file(&format!("roots/{environment}/{stack}"))
    }

    /// The real Terraform, by hand.
    pub async fn terraform(&self, folder: &Path, arguments: &[&str]) -> Told {
        let data = self.file("by-hand").join(folder.strip_prefix(self.path()).expect("in the yard"));
        if !data.exists() {
            let init = tokio::process::Command::new("terraform")
                .args(["init", "-input=false", "-no-color"])
                .current_dir(folder)
                .env("TF_DATA_DIR", &data)
                .env("CHECKPOINT_DISABLE", "1")
                .output();
            assert!(init.await.expect("terraform").status.success());
        }
        let output = tokio::process::Command::new("terraform")
            .args(arguments)
            .current_dir(folder)
            .env("TF_DATA_DIR", &data)
            .env("CHECKPOINT_DISABLE", "1")
            .kill_on_drop(true)
            .output();
        let output = output.await.expect("terraform");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Told { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Somebody applies `shop-app` by hand, with that many resources.
    pub async fn apply_by_hand(&self, slaves: u32) {
        let (yard, slaves) = (format!("-var=yard={}", self.path().display()), format!("-var=slaves={slaves}"));
        let arguments = ["apply", "-auto-approve", "-input=false", "-var=stack=shop-app", &yard, &slaves];
        self.terraform(&self.by_hand("shop", "app"), &arguments).await.exits(0);
    }
}
