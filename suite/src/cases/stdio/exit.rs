//! How a server ends.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[EXIT_ON_STDIN_CLOSE, EXIT_ON_SIGTERM];

const EXIT_ON_STDIN_CLOSE: Case = Case::probe(
    Clause {
        id: "stdio/exit-on-stdin-close",
        title: "the server exits when its stdin is closed",
        statement: "Closing the server's standard input is the client's signal to shut down, and the \
            server exits promptly when it reads end of file.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#shutdown"), (V2026_07_28, "basic/transports/stdio#shutdown")],
        fault: "ignores-stdin-eof",
    },
    Advice {
        why: "Clients that end without a signal leave such a server behind: one more process for \
            each session.",
        how: "With nothing in flight stdin is closed, and the process has to end within the \
            limit for the exit.",
        mend: "Leave the read loop at the end of file and exit; stop timers and close handles \
            that keep the process alive.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            s.sentinel().await?;
            let end = s.ended().await?;
            match end.exited_after {
                Some(_) => Ok(()),
                None => violated(format!(
                    "the server still runs {} s after its stdin was closed",
                    end.limit.as_secs_f32()
                )),
            }
        })
    },
)
.with_remark(&[], |s| {
    Box::pin(async {
        let end = s.end(How::Orderly).await;
        if end.exited_after.is_none() {
            s.remark("it also goes on when stdin is closed before any message");
        }
        Ok(())
    })
});

const EXIT_ON_SIGTERM: Case = Case::probe(
    Clause {
        id: "stdio/exit-on-sigterm",
        title: "the server exits on SIGTERM",
        statement: "A server that has not exited after its standard input was closed exits within a \
            reasonable time of SIGTERM, so that SIGKILL is not needed.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#shutdown")],
        fault: "ignores-sigterm",
    },
    Advice {
        why: "A server that ignores SIGTERM has to be killed, and then cannot save anything.",
        how: "SIGTERM is sent to the process that was started, with stdin open; it has to end \
            within the limit for the exit.",
        mend: "Leave the default action of SIGTERM in place, or end in its handler. As PID 1 of a \
            container install a handler.",
    },
    Stage::Own,
    |s| {
        Box::pin(async {
            s.sentinel().await?;
            if !cfg!(unix) {
                return unverified("there is no SIGTERM on this system");
            }
            let end = s.end(How::Signal).await;
            match end.exited_after {
                Some(_) => Ok(()),
                None if end.launcher => unverified(
                    "the process that was started has children and outlived SIGTERM: a launcher \
                     that does not pass signals on",
                ),
                None => violated(format!(
                    "the server still runs {} s after SIGTERM",
                    end.limit.as_secs_f32()
                )),
            }
        })
    },
);
