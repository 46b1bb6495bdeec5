//! A PostgreSQL server on a port of loopback, with TLS or without, on the files of one that listens
//! on a socket only.

use std::{
    env,
    io::{BufRead as _, BufReader},
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use super::{super::testing::postgres, Pki, port};

/// A server.
pub(super) struct Server {
    /// Has the files.
    made: postgres::Server,
    process: Option<Child>,
}

impl Server {
    pub(super) fn make() -> Self {
        let made = postgres::Server::start();
        made.crash();
        Self { made, process: None }
    }

    /// Serves with this certificate, or without TLS, instead of as before. Gives its port.
    pub(super) fn serve(&mut self, pki: Option<&Pki>) -> u16 {
        self.end();
        let port = port();
        let mut command = Command::new(program());
        let folder = self.made.socket();
        command.current_dir(folder).env("LC_ALL", "C").stdin(Stdio::null());
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(65534).gid(65534);
        }
        command.args(["-D", "data", "-k"]).arg(folder).args(["-p", &port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        if let Some(pki) = pki {
            command.args(["-c", "ssl=on", "-c"]);
            command.arg(format!("ssl_cert_file={}", pki.text("server.pem"))).arg("-c");
            command.arg(format!("ssl_key_file={}", pki.text("server.key")));
        }
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let ready = "database system is ready to accept connections";
        assert!(lines.any(|line| line.contains(ready)), "the server did not start");
        std::thread::spawn(move || lines.for_each(drop));
        self.process = Some(process);
        port
    }

    fn end(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // It ends its children, and removes its lock, before it is gone.
        let asked = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            process.kill().ok();
        }
        process.wait().ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn program() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.flatten().map(|version| version.path().join("bin"));
    let folders: Vec<PathBuf> = env::split_paths(&path).chain(debian).collect();
    let found = folders.iter().map(|folder| folder.join("postgres"));
    found.into_iter().find(|path| path.exists()).expect("PostgreSQL: see tests/run.sh")
}
