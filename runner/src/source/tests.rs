//! Preparing code with the real git, and state found again by the real Terraform.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// A folder with a repository `repo/` and a place `dest/`.
struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(scene.path("repo")).unwrap();
        scene
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let repository = git::Repository { top: self.path("repo"), name: "repo".into() };
        let mut git = repository.git();
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]);
        let output = git::succeed(git.args(arguments), "work").unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits everything; the commit's id.
    fn commit(&self) -> String {
        if !self.path("repo/.git").exists() {
            self.git(&["init", "--quiet"]);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn folder(&self, path: &str) -> StackSource {
        StackSource::Folder(self.path(path))
    }

    fn prepare(&self, source: &StackSource, accepted: Option<&str>, wanted: Wanted) -> Result<Checkout, SourceError> {
        prepare_blocking(source, accepted, wanted, &self.path("dest"))
    }

    /// A repository with the root `env/app` and the module `modules/a` that it uses, and its commit.
    fn with_app() -> (Self, StackSource, String) {
        let scene = Self::new();
        scene.write("repo/env/app/main.tf", "module \"a\" {\n  source = \"../../modules/a\"\n}\n");
        scene.write("repo/modules/a/main.tf", "# one\n");
        scene.write("repo/README.md", "read me\n");
        let commit = scene.commit();
        let source = scene.folder("repo/env/app");
        (scene, source, commit)
    }
}

#[test]
fn a_root_that_terraform_would_find_empty_is_refused() {
    let scene = Scene::new();
    let source = scene.folder("repo");
    scene.write(&format!("repo/{}", backend::OVERRIDE_FILE), "{}\n");
    let refused = scene.prepare(&source, None, Wanted::Newest);
    assert!(matches!(refused, Err(SourceError::NoTerraformFiles(_))), "{refused:?}");
    for name in ["main.tofu", "more.tofu.json"] {
        scene.write(&format!("repo/{name}"), "{}\n");
        let refused = scene.prepare(&source, None, Wanted::Newest);
        assert!(matches!(refused, Err(SourceError::OnlyTofuFiles(_))), "{name}: {refused:?}");
    }
    scene.write("repo/main.tf", "\n");
    scene.prepare(&source, None, Wanted::Newest).unwrap();
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_tracked_folder_runs_its_commit_and_says_what_is_not_committed() {
    let (scene, source, commit) = Scene::with_app();
    scene.write("repo/modules/a/main.tf", "# dirty\n");
    let checkout = scene.prepare(&source, None, Wanted::Newest).unwrap();
    assert_eq!(checkout.root, scene.path("dest/tree/env/app"));
    assert_eq!(checkout.code.commit, Some(commit));
    assert!(checkout.code.dirty);
    assert_eq!(read(&checkout.root.join("../../modules/a/main.tf")), "# one\n");
    assert_eq!(read(&scene.path("repo/modules/a/main.tf")), "# dirty\n");
}

#[test]
fn changes_elsewhere_in_the_repository_are_not_this_stacks() {
    let (scene, source, _) = Scene::with_app();
    scene.write("repo/README.md", "changed\n");
    scene.write("repo/env/app/terraform.tfstate", "{}");
    scene.write("repo/env/app/.terraform.lock.hcl", "# by hand");
    assert!(!scene.prepare(&source, None, Wanted::Accepted).unwrap().code.dirty);
    scene.write("repo/env/app/new.tf", "# new\n");
    let checkout = scene.prepare(&source, None, Wanted::Accepted).unwrap();
    assert!(checkout.code.dirty);
    assert!(!checkout.root.join("new.tf").exists());
}

#[test]
fn the_accepted_commit_runs_while_newer_code_waits() {
    let (scene, source, first) = Scene::with_app();
    scene.write("repo/README.md", "two\n");
    scene.commit();
    let checkout = scene.prepare(&source, Some(&first), Wanted::Accepted).unwrap();
    assert_eq!((checkout.code.commit.as_deref(), &checkout.code.newer), (Some(first.as_str()), &None));

    scene.write("repo/modules/a/main.tf", "# two\n");
    let second = scene.commit();
    for _ in 0..2 {
        let checkout = scene.prepare(&source, Some(&first), Wanted::Accepted).unwrap();
        assert_eq!(checkout.code.newer, Some(Newer { commit: second.clone(), commits_ahead: 1 }));
        assert_eq!(read(&checkout.root.join("../../modules/a/main.tf")), "# one\n");
    }
    let checkout = scene.prepare(&source, Some(&first), Wanted::Newest).unwrap();
    assert_eq!((checkout.code.commit, checkout.code.newer), (Some(second), None));
    assert_eq!(read(&checkout.root.join("../../modules/a/main.tf")), "# two\n");
    let checkout = scene.prepare(&source, Some(&first), Wanted::Accepted).unwrap();
    assert_eq!(read(&checkout.root.join("../../modules/a/main.tf")), "# one\n");
}

#[test]
fn an_accepted_commit_outlives_a_rewritten_history_while_it_is_checked_out() {
    let (scene, source, first) = Scene::with_app();
    scene.prepare(&source, Some(&first), Wanted::Accepted).unwrap();
    fs::remove_dir_all(scene.path("repo/.git")).unwrap();
    scene.write("repo/modules/a/main.tf", "# other\n");
    let other = scene.commit();
    let checkout = scene.prepare(&source, Some(&first), Wanted::Accepted).unwrap();
    assert_eq!(checkout.code.newer, Some(Newer { commit: other, commits_ahead: 1 }));
    fs::remove_dir_all(scene.path("dest")).unwrap();
    let error = scene.prepare(&source, Some(&first), Wanted::Accepted).unwrap_err();
    assert!(matches!(error, SourceError::NoCommit { .. }), "{error}");
    assert_eq!(Failure::from(error).kind, FailureKind::Configuration);
}

#[test]
fn what_somebody_changed_in_the_checkout_is_put_right() {
    let (scene, source, _) = Scene::with_app();
    let checkout = scene.prepare(&source, None, Wanted::Accepted).unwrap();
    fs::write(checkout.root.join("main.tf"), "# tampered with\n").unwrap();
    let checkout = scene.prepare(&source, None, Wanted::Accepted).unwrap();
    assert!(read(&checkout.root.join("main.tf")).contains("module"));
}

#[test]
fn terraforms_own_files_stay_and_removed_code_vanishes() {
    let (scene, source, _) = Scene::with_app();
    scene.write("repo/env/app/old.tf", "# old\n");
    scene.commit();
    let checkout = scene.prepare(&source, None, Wanted::Newest).unwrap();
    fs::write(checkout.root.join(".terraform.lock.hcl"), "# by init\n").unwrap();
    fs::write(checkout.root.join("errored.tfstate"), "{}").unwrap();
    fs::remove_file(scene.path("repo/env/app/old.tf")).unwrap();
    scene.commit();
    let checkout = scene.prepare(&source, None, Wanted::Newest).unwrap();
    assert!(!checkout.root.join("old.tf").exists());
    assert_eq!(read(&checkout.root.join(".terraform.lock.hcl")), "# by init\n");
    assert_eq!(read(&checkout.root.join("errored.tfstate")), "{}");
    scene.write("repo/env/app/.terraform.lock.hcl", "# committed\n");
    scene.commit();
    let checkout = scene.prepare(&source, None, Wanted::Newest).unwrap();
    assert_eq!(read(&checkout.root.join(".terraform.lock.hcl")), "# committed\n");
}

#[test]
fn a_crash_while_code_is_replaced_leaves_it_whole() {
    let (scene, source, _) = Scene::with_app();
    let checkout = scene.prepare(&source, None, Wanted::Newest).unwrap();
    fs::write(checkout.root.join(".terraform.lock.hcl"), "# by init\n").unwrap();
    // As a crash between the two renames leaves it, with the start of another tree.
    fs::rename(scene.path("dest/tree"), scene.path("dest/tree.old")).unwrap();
    fs::remove_file(scene.path("dest/prepared.json")).unwrap();
    scene.write("dest/tree.new/half.tf", "# half\n");
    scene.write("dest/index.new.lock", "");
    let checkout = scene.prepare(&source, None, Wanted::Newest).unwrap();
    assert!(!scene.path("dest/tree/half.tf").exists());
    assert_eq!(read(&checkout.root.join(".terraform.lock.hcl")), "# by init\n");
    for text in ["", "garbage", "{}"] {
        scene.write("dest/prepared.json", text);
        scene.prepare(&source, None, Wanted::Newest).unwrap();
    }
}

#[test]
fn an_ignored_or_uncommitted_folder_is_copied() {
    let (scene, _, commit) = Scene::with_app();
    scene.write("repo/.gitignore", "/demo\n");
    scene.write("repo/demo/app/main.tf", "# demo\n");
    scene.write("repo/later/main.tf", "# later\n");
    for (root, text) in [("repo/demo/app", "# demo\n"), ("repo/later", "# later\n")] {
        let checkout = scene.prepare(&scene.folder(root), None, Wanted::Accepted).unwrap();
        assert_eq!((checkout.code.commit, checkout.code.digest.len()), (None, 64));
        assert_eq!(read(&checkout.root.join("main.tf")), text);
    }
    let error = scene.prepare(&scene.folder("repo/later"), Some(&commit), Wanted::Accepted).unwrap_err();
    assert!(matches!(error, SourceError::NoFolderInCommit { .. }), "{error}");
}

#[test]
fn a_copy_has_the_code_and_its_modules_but_not_what_terraform_makes() {
    let scene = Scene::new();
    scene.write("plain/env/app/main.tf", "module \"a\" {\n  source = \"../../modules/a\"\n}\n");
    scene.write("plain/env/app/terraform.tfvars", "a = 1\n");
    scene.write("plain/env/app/terraform.tfstate", "{}");
    scene.write("plain/env/app/terraform.tfstate.d/w/terraform.tfstate", "{}");
    scene.write("plain/env/app/.terraform/providers/x", "big");
    scene.write("plain/env/app/files/nested/日本.txt", "x");
    scene.write("plain/env/app/.git/config", "");
    fs::remove_dir_all(scene.path("plain/env/app/.git")).unwrap();
    scene.write("plain/env/other/main.tf", "");
    scene.write("plain/modules/a/main.tf", "# a\n");
    let source = scene.folder("plain/env/app");
    let first = scene.prepare(&source, Some("ignored"), Wanted::Accepted).unwrap();
    assert_eq!(first.root, scene.path("dest/tree/env/app"));
    assert_eq!(read(&first.root.join("../../modules/a/main.tf")), "# a\n");
    assert_eq!(read(&first.root.join("files/nested/日本.txt")), "x");
    assert!(first.root.join("terraform.tfvars").exists());
    for left_out in ["terraform.tfstate", "terraform.tfstate.d", ".terraform", "../other"] {
        assert!(!first.root.join(left_out).exists(), "{left_out}");
    }

    let marker = fs::metadata(scene.path("dest/prepared.json")).unwrap().modified().unwrap();
    assert_eq!(scene.prepare(&source, None, Wanted::Newest).unwrap(), first);
    assert_eq!(fs::metadata(scene.path("dest/prepared.json")).unwrap().modified().unwrap(), marker);

    scene.write("plain/modules/a/main.tf", "# b\n");
    fs::remove_dir_all(scene.path("plain/env/app/files")).unwrap();
    let second = scene.prepare(&source, None, Wanted::Accepted).unwrap();
    assert_ne!(second.code.digest, first.code.digest);
    assert_eq!(read(&second.root.join("../../modules/a/main.tf")), "# b\n");
    assert!(!second.root.join("files").exists());
}

#[test]
fn a_link_out_of_a_copied_folder_is_refused_and_one_inside_is_followed() {
    let scene = Scene::new();
    scene.write("secret.txt", "secret");
    scene.write("plain/main.tf", "# main\n");
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, scene.path(name)).unwrap();
    link("main.tf", "plain/same.tf");
    link("ito@desk.123", "plain/.#main.tf");
    let source = scene.folder("plain");
    let checkout = scene.prepare(&source, None, Wanted::Accepted).unwrap();
    assert_eq!(read(&checkout.root.join("same.tf")), "# main\n");
    assert!(!checkout.root.join(".#main.tf").exists());
    link("../secret.txt", "plain/leak.tf");
    let error = scene.prepare(&source, None, Wanted::Accepted).unwrap_err();
    assert!(matches!(error, SourceError::LinkOutside { .. }), "{error}");
    assert!(!checkout.root.join("leak.tf").exists());
}

#[test]
fn a_repository_by_url_is_mirrored_and_asked_only_when_needed() {
    let (scene, _, first) = Scene::with_app();
    let source = |reference: &str, url: &Path| StackSource::Git {
        url: url.to_str().unwrap().to_owned(),
        reference: reference.to_owned(),
        folder: "env/app".into(),
    };
    let origin = scene.path("repo");
    let main = source("main", &origin);
    let checkout = scene.prepare(&main, None, Wanted::Accepted).unwrap();
    assert_eq!(checkout.code.commit.as_deref(), Some(first.as_str()));
    assert_eq!(read(&checkout.root.join("../../modules/a/main.tf")), "# one\n");

    // History is rewritten: what was accepted still runs, the rest is offered.
    scene.write("repo/modules/a/main.tf", "# two\n");
    scene.git(&["add", "--all"]);
    scene.git(&["commit", "--quiet", "--amend", "--message", "other"]);
    let second = scene.git(&["rev-parse", "HEAD"]);
    scene.git(&["tag", "-a", "v1", "-m", "v1"]);
    let checkout = scene.prepare(&main, Some(&first), Wanted::Accepted).unwrap();
    assert_eq!((checkout.code.commit.as_deref(), checkout.code.newer), (Some(first.as_str()), None));
    let checkout = scene.prepare(&main, Some(&first), Wanted::Newest).unwrap();
    assert_eq!(checkout.code.commit.as_deref(), Some(second.as_str()));
    let checkout = scene.prepare(&main, Some(&first), Wanted::Accepted).unwrap();
    assert_eq!(checkout.code.newer, Some(Newer { commit: second.clone(), commits_ahead: 1 }));
    assert_eq!(read(&checkout.root.join("../../modules/a/main.tf")), "# one\n");

    for reference in ["v1", "refs/heads/main", &second[..8], &second] {
        let checkout = scene.prepare(&source(reference, &origin), None, Wanted::Newest).unwrap();
        assert_eq!(checkout.code.commit.as_deref(), Some(second.as_str()), "{reference}");
    }
    for reference in ["no-such", "--upload-pack=x", "", "main:env", "0000000", "日本"] {
        let error = scene.prepare(&source(reference, &origin), None, Wanted::Newest).unwrap_err();
        assert!(matches!(error, SourceError::NoReference { .. }), "{reference}: {error}");
    }
    let error = scene.prepare(&source("main", &scene.path("gone")), None, Wanted::Newest).unwrap_err();
    assert!(matches!(error, SourceError::Git { .. }), "{error}");
    // Unreachable, but nothing new is asked for.
    fs::rename(&origin, scene.path("moved")).unwrap();
    assert!(scene.prepare(&main, Some(&second), Wanted::Accepted).is_ok());
}

#[test]
fn a_missing_folder_and_a_file_are_told_apart() {
    let scene = Scene::new();
    scene.write("file.tf", "");
    let error = |path: &str| scene.prepare(&scene.folder(path), None, Wanted::Accepted).unwrap_err();
    assert!(matches!(error("gone"), SourceError::NoFolder(_)));
    assert!(matches!(error("file.tf"), SourceError::NotAFolder(_)));
    assert!(matches!(error("file.tf/below"), SourceError::NotAFolder(_)));
}

#[tokio::test]
async fn preparing_works_from_async_code() {
    let (scene, source, commit) = Scene::with_app();
    let checkout = prepare(&source, None, Wanted::Accepted, &scene.path("dest")).await.unwrap();
    assert_eq!(checkout.code.commit, Some(commit));
    refresh(&source, &scene.path("dest")).await.unwrap();
    let gone = prepare(&scene.folder("gone"), None, Wanted::Accepted, &scene.path("dest")).await.unwrap_err();
    assert_eq!(gone.kind, FailureKind::Configuration);
    assert!(gone.detail.contains("tidegate.toml"), "{}", gone.detail);
}

/// Terraform in `folder`; its standard output.
fn terraform(folder: &Path, data: &Path, arguments: &[&str]) -> String {
    let output = Command::new("terraform")
        .current_dir(folder)
        .args(arguments)
        .env("TF_DATA_DIR", data)
        .env("TF_INPUT", "0")
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .expect("terraform is on the PATH");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn a_checkout_sees_the_state_that_was_made_by_hand_in_every_workspace() {
    let resource = "resource \"terraform_data\" \"x\" {\n  input = 1\n}\n";
    let local = format!("terraform {{\n  backend \"local\" {{\n    path = \"my.tfstate\"\n  }}\n}}\n{resource}");
    for text in [resource, &local] {
        let scene = Scene::new();
        scene.write("repo/a ${b} \"c\"/main.tf", text);
        scene.commit();
        let hand = scene.path("repo/a ${b} \"c\"");
        let data = scene.path("data by hand");
        terraform(&hand, &data, &["init", "-no-color"]);
        terraform(&hand, &data, &["apply", "-no-color", "-auto-approve"]);
        terraform(&hand, &data, &["workspace", "new", "night"]);
        terraform(&hand, &data, &["apply", "-no-color", "-auto-approve"]);

        let source = StackSource::Folder(hand.clone());
        let checkout = scene.prepare(&source, None, Wanted::Accepted).unwrap();
        assert!(!checkout.code.dirty, "a state by hand is not code");
        let home = state_home(&source, Path::new("/unused"), "shop", "app");
        let backend = backend::settle(&Folder::list(&checkout.root).unwrap(), &home, &BTreeMap::new()).unwrap();
        let arguments: Vec<String> =
            backend.arguments.iter().map(|(name, value)| format!("-backend-config={name}={value}")).collect();
        let init: Vec<&str> = ["init", "-no-color"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        let data = scene.path("data");
        terraform(&checkout.root, &data, &init);
        for workspace in ["default", "night"] {
            terraform(&checkout.root, &data, &["workspace", "select", workspace]);
            terraform(&checkout.root, &data, &["plan", "-no-color", "-detailed-exitcode"]);
        }
        assert!(backend.state.as_ref().unwrap().is_file());
        assert!(hand.join("terraform.tfstate.d/night/terraform.tfstate").is_file());
        assert!(!checkout.root.join("terraform.tfstate").exists());
        // Our own file does not count as a change of the checkout.
        let again = scene.prepare(&source, None, Wanted::Accepted).unwrap();
        assert_eq!(backend::settle(&Folder::list(&again.root).unwrap(), &home, &BTreeMap::new()).unwrap(), backend);
    }
}

/// A server that answers every request with 404 and gives what it was asked.
fn refusing_server() -> (u16, std::thread::JoinHandle<String>) {
    use std::io::{Read as _, Write as _};
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let asked = std::thread::spawn(move || {
        let (mut client, _) = server.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8(request).unwrap()
    });
    (port, asked)
}

#[test]
fn a_token_in_a_url_reaches_the_server_and_nobody_else() {
    if std::env::var_os("http_proxy").is_some() {
        // git would ask the proxy for a server that only this machine has.
        return;
    }
    let scene = Scene::new();
    let (port, asked) = refusing_server();
    let url = format!("http://bot:geheimes%20wort@127.0.0.1:{port}/a.git");
    let source = StackSource::Git { url, reference: "main".to_owned(), folder: PathBuf::new() };
    let error = scene.prepare(&source, None, Wanted::Newest).unwrap_err();
    assert!(
        format!("{error} {error:?}").contains("a.git") && !format!("{error} {error:?}").contains("geheim"),
        "{error:?}"
    );
    assert!(asked.join().unwrap().contains("Authorization: Basic Ym90OmdlaGVpbWVzIHdvcnQ="));
    let mut open = vec![scene.path("")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            if entry.is_dir() {
                open.push(entry);
            } else {
                assert!(!String::from_utf8_lossy(&fs::read(&entry).unwrap()).contains("geheim"), "{entry:?}");
            }
        }
    }
}
