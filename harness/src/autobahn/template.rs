//! Spec files to begin with. JSON has no comments; keys that begin with `_` are read as such.

use std::io::Write as _;
use std::path::Path;

use super::Mode;
use crate::cli::Failure;

/// What a spec file of a mode begins as, for modes that read one.
fn of(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::FuzzingClient => Some(FUZZING_CLIENT),
        Mode::FuzzingServer => Some(FUZZING_SERVER),
        Mode::MassConnect => Some(MASS_CONNECT),
        Mode::EchoServer
        | Mode::EchoClient
        | Mode::BroadcastServer
        | Mode::BroadcastClient
        | Mode::TesteeServer
        | Mode::TesteeClient => None,
    }
}

/// Writes it, unless there is such a file by now.
pub(super) fn create(mode: Mode, path: &Path) -> Result<(), Failure> {
    let Some(text) = of(mode) else { return Ok(()) };
    let failed = |error| Failure::usage(format!("cannot create {}: {error}", path.display()));
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    eprintln!("wsgrade: there was no spec file; created {} to begin with", path.display());
    Ok(())
}

const FUZZING_CLIENT: &str = r#"{
   "_servers": "the servers to grade, one after another; agent is what the report calls it",
   "servers": [
      {
         "agent": "MyServer",
         "url": "ws://127.0.0.1:9001"
      }
   ],
   "_outdir": "where index.json goes",
   "outdir": "./reports/servers",
   "_cases": "ids such as 6.4.1, or patterns such as 6.*; exclude-cases is taken from them",
   "cases": ["*"],
   "exclude-cases": [],
   "_exclude-agent-cases": "such as {\"MyServer*\": [\"6.4.*\"]}",
   "exclude-agent-cases": {}
}
"#;

const FUZZING_SERVER: &str = r#"{
   "_url": "where clients connect; ws://0.0.0.0:9001 for those on other machines",
   "url": "ws://127.0.0.1:9001",
   "_webport": "the reports over HTTP; 0 for not at all",
   "webport": 8080,
   "_outdir": "where index.json goes",
   "outdir": "./reports/clients",
   "_cases": "ids such as 6.4.1, or patterns such as 6.*; exclude-cases is taken from them",
   "cases": ["*"],
   "exclude-cases": [],
   "_exclude-agent-cases": "such as {\"MyClient*\": [\"6.4.*\"]}",
   "exclude-agent-cases": {}
}
"#;

const MASS_CONNECT: &str = r#"{
   "_options": "how many connections to each server, how many at once, and milliseconds between batches and before a retry",
   "options": {
      "connections": 1000,
      "batchsize": 100,
      "batchdelay": 10,
      "retrydelay": 10
   },
   "servers": [
      {
         "name": "MyServer",
         "uri": "ws://127.0.0.1:9000"
      }
   ]
}
"#;

#[cfg(test)]
mod tests {
    use super::super::spec;
    use super::*;

    #[test]
    fn every_template_is_read_without_a_warning() {
        for (mode, text) in [
            (Mode::FuzzingClient, FUZZING_CLIENT),
            (Mode::FuzzingServer, FUZZING_SERVER),
            (Mode::MassConnect, MASS_CONNECT),
        ] {
            assert_eq!(of(mode), Some(text));
            let warnings = match mode {
                Mode::MassConnect => spec::read_mass("t.json", text).unwrap().1,
                Mode::FuzzingClient | Mode::FuzzingServer => spec::read("t.json", text).unwrap().1,
                other => panic!("{other:?} has no spec file"),
            };
            assert_eq!(warnings, [""; 0], "{mode:?}");
        }
        assert_eq!(of(Mode::EchoServer), None);
    }

    #[test]
    fn what_is_there_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fuzzingclient.json");
        create(Mode::FuzzingClient, &path).unwrap_or_else(|_| panic!("it can be created"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), FUZZING_CLIENT);
        assert!(create(Mode::FuzzingClient, &path).is_err());
    }
}
