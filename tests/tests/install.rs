//! What `dist/` and the Dockerfile hand out: read by the programs they are for.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use pushpull_tests::server::binary;

/// The unit's own line, with the program that is tested here: systemd knows every key, the program every flag.
#[test]
fn the_unit_is_one_that_systemd_takes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let unit = unit_for(&binary()?)?;
    let file = folder.path().join("pushpull.service");
    fs::write(&file, unit)?;
    let verified = run(Command::new("systemd-analyze").arg("verify").arg(&file))?;
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    // It looks at what else is installed, too.
    let about_ours: Vec<_> = said.lines().filter(|line| line.contains("pushpull")).collect();
    ensure!(verified.status.success() && about_ours.is_empty(), "{said}");

    // Of 10: the document says "below 2", the threshold is in tenths.
    let rated = run(Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&file))?;
    ensure!(rated.status.success(), "{}", String::from_utf8_lossy(&rated.stdout));
    Ok(())
}

#[test]
fn the_unit_starts_the_program_with_flags_it_has() -> Result<()> {
    let unit = read("dist/pushpull.service")?;
    let start = line(&unit, "ExecStart=")?;
    ensure!(start.starts_with("/usr/local/bin/pushpull "), "{start}");
    let config = root().join("dist/pushpull.toml");
    let commands = unit.lines().filter(|line| line.starts_with("Exec"));
    for command in commands.filter_map(|line| line.split("/usr/local/bin/pushpull ").nth(1)) {
        let arguments = command.replace("/etc/pushpull/pushpull.toml", &config.to_string_lossy());
        let checked = run(Command::new(binary()?)
            .arg("--check-config")
            .args(arguments.split(' ').filter(|flag| *flag != "--check-config")))?;
        ensure!(
            checked.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&checked.stderr)
        );
    }
    Ok(())
}

/// Every line of the configuration counts when its # is taken away.
#[test]
fn the_service_s_configuration_is_valid_line_by_line() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("pushpull.toml");
    let mut keys = 0;
    for line in read("dist/pushpull.toml")?.lines() {
        let line = line.trim_start_matches("# ");
        if !line.contains(" = ") {
            continue;
        }
        keys += 1;
        fs::write(&file, line)?;
        let checked =
            run(Command::new(binary()?).arg("--check-config").arg("--config").arg(&file))?;
        ensure!(checked.status.success(), "{line}: {}", String::from_utf8_lossy(&checked.stderr));
    }
    ensure!(keys >= 5, "{keys} keys");
    Ok(())
}

#[test]
fn the_image_is_made_with_the_rust_that_is_needed_and_names_the_ports() -> Result<()> {
    let dockerfile = read("Dockerfile")?;
    let manifest = read("Cargo.toml")?;
    let needed = line(&manifest, "rust-version = ")?.trim_matches('"').to_owned();
    ensure!(dockerfile.contains(&format!("/rust:{needed}-")), "rust-version is {needed}");
    let help = run(Command::new(binary()?).arg("--help"))?;
    let help = String::from_utf8(help.stdout)?;
    for port in line(&dockerfile, "EXPOSE ")?.split(' ') {
        ensure!(help.contains(&format!(":{port}]")), "{port} is no default");
    }
    Ok(())
}

fn unit_for(program: &Path) -> Result<String> {
    Ok(read("dist/pushpull.service")?
        .replace("/usr/local/bin/pushpull", &program.to_string_lossy()))
}

fn run(command: &mut Command) -> Result<Output> {
    // The environment is configuration; a developer's own must not reach the test.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PUSHPULL_") {
            command.env_remove(name);
        }
    }
    command.output().with_context(|| {
        let program = command.get_program().to_string_lossy();
        format!("{program} did not start: `just test` installs what the tests need")
    })
}

/// What stands behind `begin` on the first line that begins so.
fn line<'a>(text: &'a str, begin: &str) -> Result<&'a str> {
    let found = text.lines().find_map(|line| line.strip_prefix(begin));
    found.with_context(|| format!("no line {begin:?}"))
}

fn read(file: &str) -> Result<String> {
    Ok(fs::read_to_string(root().join(file))?)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
