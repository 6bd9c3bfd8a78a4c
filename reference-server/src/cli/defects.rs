//! `--defect` and `--list-defects`, which both programs have.

use clap::Args;

/// Without the feature the flags are there all the same, to say how they are had.
#[derive(Debug, Args)]
#[command(next_help_heading = "Defects (for test suites to be proved on; feature `defects`)")]
pub(super) struct DefectArgs {
    /// Deviate from the RFCs in this one way, and be strict in all others; `none` for the same endpoint without a defect
    #[arg(long, value_name = "NAME")]
    pub(super) defect: Option<String>,

    /// List the defects that there are, each with the rule that it breaks, and exit
    #[arg(long)]
    pub(super) list_defects: bool,
}

impl DefectArgs {
    /// Whether any of the flags is given.
    pub(super) fn are_given(&self) -> bool {
        self.defect.is_some() || self.list_defects
    }
}

/// What to say where the feature is off.
#[cfg(not(feature = "defects"))]
pub(super) fn absent(program: &str) -> String {
    format!(
        "built without the feature `defects`: cargo run -p wsgrade-reference-server --features defects \
         --bin {program} -- --list-defects"
    )
}

#[cfg(feature = "defects")]
pub(super) use present::{list, named};

#[cfg(feature = "defects")]
mod present {
    use std::fmt::Write as _;

    use wsgrade_codec::Role;

    use crate::deviant::{Area, Defect};

    /// The defects of a role, one a line, by their areas.
    pub(in crate::cli) fn list(role: Role) -> String {
        let mut text = String::new();
        let mut area: Option<Area> = None;
        for defect in Defect::ALL.iter().filter(|defect| defect.roles().has(role)) {
            if area.replace(defect.area()) != Some(defect.area()) {
                let _ = writeln!(text, "{}", defect.area().title());
            }
            let known = defect.known().map(|known| format!("; {known}")).unwrap_or_default();
            let _ = writeln!(text, "  {defect:<34} {} ({}{known})", defect.does(), defect.rule());
        }
        text
    }

    /// The defect of this name, for a role; `none` is no defect.
    pub(in crate::cli) fn named(name: &str, role: Role) -> Result<Option<Defect>, String> {
        if name == "none" {
            return Ok(None);
        }
        let defect: Defect = name.parse().map_err(|error| format!("{error}"))?;
        if defect.roles().has(role) {
            Ok(Some(defect))
        } else {
            Err(format!("{defect} is a defect of a {}, and this is a {role}", role.peer()))
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_defect_is_found_by_its_name_and_role() {
            assert_eq!(named("no-pong", Role::Server), Ok(Some(Defect::NoPong)));
            assert_eq!(named("none", Role::Client), Ok(None));
            let lines = [
                named("ignores-accept", Role::Server).unwrap_err(),
                named("no-ping", Role::Server).unwrap_err(),
            ];
            insta::assert_snapshot!(lines.join("\n"), @r#"
            ignores-accept is a defect of a client, and this is a server
            there is no defect "no-ping"; --list-defects names them all
            "#);
        }

        #[test]
        fn the_list_has_the_defects_of_the_role() {
            let (server, client) = (list(Role::Server), list(Role::Client));
            assert!(server.contains("  no-pong ") && client.contains("  no-pong "));
            assert!(!server.contains("  ignores-accept ") && client.contains("  ignores-accept "));
            assert!(server.starts_with("Opening handshake\n  takes-any-method "), "{server}");
        }
    }
}
