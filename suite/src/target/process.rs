use std::{io, path::Path, process::Stdio, sync::OnceLock, time::Duration};

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use tokio::{
    process::{ChildStderr, ChildStdin, ChildStdout},
    time::timeout,
};

use super::Command;

/// A server could not be launched.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// There is no such program.
    #[error("there is no program `{program}`{hint}")]
    Missing {
        /// What was to be launched.
        program: String,
        /// What to do about it.
        hint: String,
    },
    /// The working directory does not exist.
    #[error("the working directory `{0}` does not exist; name one that does with --cwd")]
    Cwd(String),
    /// The operating system refused for another reason.
    #[error("cannot launch `{program}`")]
    Refused {
        /// What was to be launched.
        program: String,
        /// The reason.
        source: io::Error,
    },
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this status (`exit status: 0`).
    Itself(String),
    /// By SIGTERM, which it was sent.
    Terminated(String),
    /// By SIGKILL, which it was sent.
    Killed,
}

/// A launched server with its whole process tree: the children stand in a group of their own
/// (on Windows in a job), which is ended with them.
#[derive(Debug)]
pub(crate) struct Process {
    child: Box<dyn ChildWrapper>,
    pid: Option<u32>,
}

/// The three streams of a process.
pub(crate) struct Pipes {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

impl Process {
    /// Launches `command`; `env` is set on top of its own environment.
    pub(crate) fn launch(
        command: &Command,
        env: &[(&str, &str)],
    ) -> Result<(Process, Pipes), LaunchError> {
        let program = command.program.to_string_lossy().into_owned();
        if let Some(cwd) = command.cwd.as_deref().filter(|cwd| !cwd.is_dir()) {
            return Err(LaunchError::Cwd(cwd.display().to_string()));
        }
        let mut wrap = CommandWrap::with_new(&command.program, |child| {
            child
                .args(&command.args)
                .envs(
                    command
                        .env
                        .iter()
                        .map(|(name, value)| (name, value.expose())),
                )
                .envs(env.iter().copied())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true);
            if let Some(cwd) = &command.cwd {
                child.current_dir(cwd);
            }
        });
        #[cfg(unix)]
        wrap.wrap(process_wrap::tokio::ProcessGroup::leader());
        #[cfg(windows)]
        wrap.wrap(process_wrap::tokio::JobObject);
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => LaunchError::Missing {
                hint: hint(&program),
                program: program.clone(),
            },
            _ => LaunchError::Refused {
                program: program.clone(),
                source,
            },
        };
        let mut child = wrap.spawn().map_err(refused)?;
        let pipes = (
            child.stdin().take(),
            child.stdout().take(),
            child.stderr().take(),
        );
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(LaunchError::Refused {
                program,
                source: io::Error::other("its streams cannot be read"),
            });
        };
        let pid = child.id();
        Ok((
            Process { child, pid },
            Pipes {
                stdin,
                stdout,
                stderr,
            },
        ))
    }

    /// Waits at most `limit` for the process that we started to end by itself.
    pub(crate) async fn wait(&mut self, limit: Duration) -> Option<String> {
        match timeout(limit, self.child.inner_mut().wait()).await {
            Ok(Ok(status)) => Some(status.to_string()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => None,
        }
    }

    /// Sends SIGTERM to the process that we started, and to no other of its group.
    /// False where there is no such signal.
    pub(crate) fn terminate(&self) -> bool {
        #[cfg(unix)]
        {
            let pid = self.pid.and_then(|pid| i32::try_from(pid).ok());
            if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
                return rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok();
            }
        }
        false
    }

    /// Ends what is left: SIGTERM, a moment, SIGKILL to the whole tree.
    pub(crate) async fn end(mut self, patience: Duration) -> Ended {
        if let Some(status) = self.wait(Duration::ZERO).await {
            self.kill_group();
            return Ended::Itself(status);
        }
        if self.terminate()
            && let Some(status) = self.wait(patience).await
        {
            self.kill_group();
            return Ended::Terminated(status);
        }
        self.kill_group();
        // SIGKILL cannot be refused; the limit is for a process stuck in the kernel.
        self.wait(Duration::from_secs(5)).await;
        Ended::Killed
    }

    /// Whether the process has children of its own: it may be a launcher that keeps signals.
    pub(crate) fn has_children(&self) -> bool {
        self.pid.is_some_and(|pid| !children_of(pid).is_empty())
    }

    fn kill_group(&mut self) {
        // An error means that nothing is left to kill.
        self.child.start_kill().ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

fn hint(program: &str) -> String {
    if Path::new(program).components().count() > 1 {
        "; check the path (it is relative to --cwd)".to_owned()
    } else if program.contains(' ') {
        "; give the program and its arguments as separate words after `--`".to_owned()
    } else {
        " in PATH; install it, or give its path".to_owned()
    }
}

/// The children that this process had before it launched any: they are not ours to end.
static BEFORE: OnceLock<Vec<u32>> = OnceLock::new();

/// Makes this process the parent of processes whose own parent ends, so that even those that
/// left their group are found at the end.
pub(crate) fn adopt_orphans() {
    BEFORE.get_or_init(|| children_of(std::process::id()));
    #[cfg(target_os = "linux")]
    // Refused only by kernels before 3.4; what they leave is ended with its group.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).ok();
}

/// Ends every process that still descends from those that this one has launched.
pub(crate) fn end_orphans() {
    #[cfg(target_os = "linux")]
    for _ in 0..64 {
        let mut left = children_of(std::process::id());
        left.retain(|pid| !BEFORE.get().is_some_and(|before| before.contains(pid)));
        let mut at = 0;
        while at < left.len() {
            left.extend(children_of(left[at]));
            at += 1;
        }
        if left.is_empty() {
            return;
        }
        for pid in left {
            let pid = i32::try_from(pid)
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            if let Some(pid) = pid {
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
                // Reaped here: nobody else waits for a process that we adopted.
                rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG).ok();
            }
        }
    }
}

/// The children of a process, zombies apart, where the system tells.
fn children_of(pid: u32) -> Vec<u32> {
    let mut children = Vec::new();
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return children;
    };
    for thread in threads.flatten() {
        let list = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.extend(
            list.split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    children.retain(|pid| {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
            !stat
                .rsplit(')')
                .next()
                .is_some_and(|rest| rest.starts_with(" Z"))
        })
    });
    children
}
