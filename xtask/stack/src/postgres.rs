//! A PostgreSQL server that listens only on this machine.

use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::sys::signal::kill;
use nix::unistd::{Pid, User, geteuid};

use project::files;
use project::process;
use project::progress::say;
use project::setup::PostgresPackage;

pub struct Postgres {
    package: PostgresPackage,
    /// The cluster and the superuser's password.
    folder: PathBuf,
    /// The user that PostgreSQL runs as if this process is root, because PostgreSQL refuses to run as root.
    user: Option<User>,
    password: String,
    port: u16,
}

impl Postgres {
    /// Prepares the database's files.
    pub fn prepare(package: PostgresPackage, data: &Path, port: u16, fresh: bool) -> Result<Self> {
        let user = geteuid().is_root().then(unprivileged_user).transpose()?;
        let folder = place(data, user.as_ref())?;
        if fresh {
            refuse_if_running(&folder.join("cluster"))?;
            files::remove_folder(&folder).context("--fresh")?;
        }
        create_owned(&folder, user.as_ref())?;
        let mut postgres = Self {
            package,
            folder,
            user,
            password: String::new(),
            port,
        };
        postgres.initialise(&data.join("logs/initdb.log"))?;
        postgres.check_version()?;
        refuse_if_running(&postgres.cluster())?;
        postgres.password = fs::read_to_string(postgres.password_file())
            .context("the database's password is missing; --fresh starts with an empty database")?
            .trim()
            .to_owned();
        Ok(postgres)
    }

    pub fn url(&self) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        )
    }

    pub fn command(&self) -> Command {
        let mut command = self.as_user("postgres");
        command.arg("-D").arg(self.cluster());
        let ours = [
            "listen_addresses=127.0.0.1",
            // Several races run at once, each of up to a hundred transactions.
            "max_connections=500",
            "unix_socket_directories=",
            "timezone=UTC",
            // Some calls have secrets as parameters.
            "log_parameter_max_length=0",
        ];
        for setting in ours.iter().chain(self.package.settings) {
            command.args(["-c", setting]);
        }
        command.args(["-c", &format!("port={}", self.port)]);
        command
    }

    /// Whether the server with this process id accepts connections, according to the last line of its pid file.
    pub fn is_ready(&self, pid: u32) -> bool {
        let text = fs::read_to_string(self.cluster().join("postmaster.pid")).unwrap_or_default();
        let (first, last) = (text.lines().next(), text.lines().last());
        first == Some(&pid.to_string()) && last.map(str::trim) == Some("ready")
    }

    fn cluster(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    fn as_user(&self, executable: &str) -> Command {
        let mut command = Command::new(self.package.executable(executable));
        command
            .current_dir("/")
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Creates the cluster in a temporary folder, so that a crash does not leave an incomplete one.
    fn initialise(&self, log: &Path) -> Result<()> {
        if self.cluster().exists() {
            return Ok(());
        }
        files::write_private(&self.password_file(), &random_password()?)?;
        if let Some(user) = &self.user {
            own(&self.password_file(), user)?;
        }
        let draft = self.folder.join("new");
        files::remove_folder(&draft)?;
        let mut command = self.as_user("initdb");
        command
            .arg("-D")
            .arg(&draft)
            .arg("--pwfile")
            .arg(self.password_file());
        command.args([
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=scram-sha-256",
        ]);
        process::run_logged("creating the database", &mut command, log)?;
        fs::rename(&draft, self.cluster()).context("cannot create the database's folder")
    }

    fn check_version(&self) -> Result<()> {
        let version = fs::read_to_string(self.cluster().join("PG_VERSION")).unwrap_or_default();
        let (version, ours) = (version.trim(), &self.package.major);
        if version != ours {
            bail!(
                "the data is of PostgreSQL {version}, and this is {ours}: start with an empty database by --fresh"
            );
        }
        Ok(())
    }
}

/// `postgres` if the system has that user, otherwise `nobody`.
fn unprivileged_user() -> Result<User> {
    let find = |name| User::from_name(name).ok().flatten();
    find("postgres").or_else(|| find("nobody")).context(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`",
    )
}

/// A folder below the data folder, or elsewhere if the user cannot reach it.
fn place(data: &Path, user: Option<&User>) -> Result<PathBuf> {
    let data = fs::canonicalize(data)?;
    let is_reachable = |user| {
        data.ancestors()
            .all(|folder| fs::metadata(folder).is_ok_and(|it| may_enter(&it, user)))
    };
    if user.is_none_or(is_reachable) {
        return Ok(data.join("postgres"));
    }
    let hash = files::fingerprint(data.as_os_str().as_encoded_bytes());
    let folder = PathBuf::from(format!("/var/tmp/sound-whiskers-{hash:.16}"));
    let (there, data) = (folder.display(), data.display());
    say(format_args!(
        "the database is kept in {there}: the user it runs as cannot reach {data}"
    ));
    Ok(folder)
}

fn may_enter(folder: &fs::Metadata, user: &User) -> bool {
    let bit = match (
        folder.uid() == user.uid.as_raw(),
        folder.gid() == user.gid.as_raw(),
    ) {
        (true, _) => 0o100,
        (false, true) => 0o010,
        (false, false) => 0o001,
    };
    folder.permissions().mode() & bit != 0
}

/// Creates a folder that only the user can access, or verifies an existing one.
fn create_owned(folder: &Path, user: Option<&User>) -> Result<()> {
    let context = || format!("cannot create the folder {}", folder.display());
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => user.map_or(Ok(()), |user| own(folder, user)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            // In a folder that everyone may write to, another user may have created it.
            let found = fs::symlink_metadata(folder)?;
            let owner = user.map_or_else(geteuid, |user| user.uid);
            if !(found.is_dir() && found.uid() == owner.as_raw()) {
                bail!(
                    "{} belongs to another user: choose another folder with --data",
                    folder.display()
                );
            }
            Ok(())
        }
        Err(error) => Err(error).with_context(context),
    }
}

fn own(path: &Path, user: &User) -> Result<()> {
    chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
        .with_context(|| path.display().to_string())
}

/// A server that outlived its stack still writes to its files; a pid file without its server is removed.
fn refuse_if_running(cluster: &Path) -> Result<()> {
    let path = cluster.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(());
    };
    let pid = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok())
        .map(Pid::from_raw);
    match pid {
        Some(pid) if kill(pid, None).is_ok() && is_postgres(pid) => {
            bail!(
                "a PostgreSQL still runs on {} (process {pid}): end it first",
                cluster.display()
            )
        }
        _ => fs::remove_file(&path).with_context(|| path.display().to_string()),
    }
}

fn is_postgres(pid: Pid) -> bool {
    let pid = pid.to_string();
    let name = fs::read_to_string(format!("/proc/{pid}/comm"))
        .ok()
        .or_else(|| process::output_of(Command::new("ps").args(["-o", "comm=", "-p", &pid])));
    name.is_some_and(|name| name.contains("postgres"))
}

fn random_password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("/dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_closed_to_others_is_out_of_reach() {
        let folder = std::env::temp_dir().join(format!("xtask-postgres-{}", std::process::id()));
        files::create_folder(&folder).unwrap();
        let mut other = User::from_uid(geteuid()).unwrap().unwrap();
        (other.uid, other.gid) = ((u32::MAX - 7).into(), (u32::MAX - 7).into());
        for (mode, expected) in [(0o700, false), (0o711, true), (0o750, false)] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(
                may_enter(&fs::metadata(&folder).unwrap(), &other),
                expected,
                "{mode:o}"
            );
        }
        files::remove_folder(&folder).unwrap();
    }

    #[test]
    fn a_pid_file_without_its_server_is_removed() {
        let cluster = std::env::temp_dir().join(format!("xtask-cluster-{}", std::process::id()));
        files::create_folder(&cluster).unwrap();
        let path = cluster.join("postmaster.pid");
        // This process is alive and not PostgreSQL, as if the system had reused the number.
        fs::write(&path, format!("{}\n", std::process::id())).unwrap();
        refuse_if_running(&cluster).unwrap();
        assert!(!path.exists());
        files::remove_folder(&cluster).unwrap();
    }

    #[test]
    fn passwords_differ_and_need_no_escaping_in_a_url() {
        let (one, other) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.chars().all(|c| c.is_ascii_hexdigit()));
    }
}
