use std::{fs, path::Path, time::Duration};

use super::*;
use crate::{endpoints::Endpoints, tls};

/// A server's configuration in a file.
struct Case {
    directory: tempfile::TempDir,
    reloader: Reloader,
}

impl Case {
    fn new(text: &str) -> Case {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pushpull.toml");
        fs::write(&file, text).unwrap();
        let args = ["pushpull".into(), "--config".into(), file.into(), "--lag=2s".into()];
        let sources = Sources::read(args, []).unwrap();
        let loaded = sources.load().unwrap();
        let in_force = InForce::new(&loaded.config, None);
        let remarks = Remarks::at(Arc::new(Endpoints::of(&loaded.config)));
        Case {
            directory,
            reloader: Reloader::new(
                sources,
                loaded,
                in_force,
                Reloads::default(),
                Notify::default(),
                remarks,
            ),
        }
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("pushpull.toml")
    }

    async fn reload(&mut self) -> Outcome {
        self.reloader.reload("a test").await;
        self.reloader.reloads.last().unwrap().outcome
    }
}

#[tokio::test]
async fn what_may_change_does_and_the_rest_is_named() {
    let mut case = Case::new("http_max_connections = 5\nrtmp = \"127.0.0.1:1\"\n");
    let in_force = case.reloader.in_force.clone();
    assert_eq!(in_force.http.get().max_connections, 5);
    case.write("demo = true\nhttp_max_connections = 6\nrtmp = \"127.0.0.1:2\"\nlog = \"json\"\nlag = \"9s\"\n");
    let needs_restart = vec!["rtmp", "log"];
    let changed = vec!["http_max_connections", "demo"];
    assert_eq!(
        case.reload().await,
        Outcome::Applied { changed, needs_restart: needs_restart.clone() },
        "a flag is said over the file: `lag` stays"
    );
    assert_eq!(in_force.http.get().max_connections, 6);
    assert!(*in_force.demo.get());
    assert_eq!(
        case.reload().await,
        Outcome::Applied { changed: vec![], needs_restart },
        "what needs a restart still does"
    );
    case.write("rtmp = \"127.0.0.1:1\"\n");
    let changed = vec!["http_max_connections", "demo"];
    assert_eq!(case.reload().await, Outcome::Applied { changed, needs_restart: vec![] });
    assert_eq!(in_force.http.get().max_connections, 10_000, "the default is back");
    assert_eq!(case.reloader.reloads.applied(), 3);
}

#[tokio::test]
async fn a_mistake_is_refused_as_a_whole() {
    let mut case = Case::new("http_max_connections = 5\n");
    let in_force = case.reloader.in_force.clone();
    for wrong in [
        "http_max_connections = 6\nsoup = 1\n",
        "http_max_connections = 6\ngrace = ",
        "http_max_connections = 6\nlag = \"x\"\n",
    ] {
        case.write(wrong);
        let outcome = case.reload().await;
        assert!(matches!(&outcome, Outcome::Refused(errors) if errors.len() == 1), "{outcome:?}");
        assert_eq!(in_force.http.get().max_connections, 5);
    }
    fs::remove_file(case.file()).unwrap();
    assert!(matches!(case.reload().await, Outcome::Refused(_)));
    assert_eq!(in_force.http.get().max_connections, 5, "a file that is gone is no empty file");
    std::os::unix::fs::symlink("/dev/null", case.file()).unwrap();
    assert!(matches!(case.reload().await, Outcome::Refused(_)), "nor is a pipe that was read");
    assert_eq!(case.reloader.reloads.refused(), 5);
    fs::remove_file(case.file()).unwrap();
    case.write("http_max_connections = 7\n");
    assert!(matches!(case.reload().await, Outcome::Applied { .. }));
    assert_eq!(in_force.http.get().max_connections, 7);
}

#[tokio::test]
async fn a_new_file_of_authorities_is_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let renew = |file: &Path| fs::write(file, tls::testing::made(2090).0).unwrap();
    renew(&file);
    let mut case = Case::new(&format!("hook_ca = {file:?}\n"));
    let nothing = Outcome::Applied { changed: vec![], needs_restart: vec![] };
    assert_eq!(case.reload().await, nothing);
    renew(&file);
    let hook_ca = vec!["hook_ca"];
    let applied = Outcome::Applied { changed: hook_ca, needs_restart: vec![] };
    assert_eq!(case.reload().await, applied);
    fs::write(&file, "nonsense").unwrap();
    assert!(matches!(case.reload().await, Outcome::Refused(_)));

    // Nobody has to ask.
    let reloads = case.reloader.reloads.clone();
    let mut told = case.reloader.in_force.hooks.subscribe();
    told.mark_unchanged();
    let task = tokio::spawn(case.reloader.run(Arc::new(tokio::sync::Notify::new())));
    renew(&file);
    told.changed().await.unwrap();
    task.abort();
    drop(task.await);
    assert_eq!((reloads.applied(), reloads.refused()), (3, 1));
}

#[tokio::test]
async fn files_are_read_when_they_have_changed() {
    let case = Case::new("http_max_connections = 5\n");
    let (file, in_force) = (case.file(), case.reloader.in_force.clone());
    let reloads = case.reloader.reloads.clone();
    let asked = Arc::new(tokio::sync::Notify::new());
    let task = tokio::spawn(case.reloader.run(asked.clone()));
    let mut told = in_force.http.subscribe();
    let save = |path: &Path, text: &str| {
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    };
    save(&file, "http_max_connections = 6\n");
    told.changed().await.unwrap();
    assert_eq!(told.borrow_and_update().max_connections, 6);
    // Turned off, only a signal does it.
    save(&file, "http_max_connections = 7\nconfig_watch = false\n");
    told.changed().await.unwrap();
    assert_eq!(told.borrow_and_update().max_connections, 7);
    save(&file, "http_max_connections = 8\n");
    let unseen = tokio::time::timeout(3 * PERIOD, told.changed()).await;
    assert!(unseen.is_err(), "nobody was to look");
    asked.notify_one();
    told.changed().await.unwrap();
    assert_eq!(told.borrow_and_update().max_connections, 8);
    assert_eq!((reloads.applied(), reloads.refused()), (3, 0));
    task.abort();
    drop(tokio::time::timeout(Duration::from_secs(5), task).await);
}
