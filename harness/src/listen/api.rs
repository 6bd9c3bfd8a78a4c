//! What a client can ask, by the path it connects to.

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// `/getCaseCount`: how many cases there are, as a number in text.
    CaseCount,
    /// `/getCaseInfo?case=N`: id and title as JSON.
    CaseInfo(CaseRef),
    /// `/runCase?case=N&agent=A`: plays it on this connection.
    RunCase(CaseRef, String),
    /// `/getCaseStatus?case=N&agent=A`: the verdict as JSON, as soon as there is one.
    CaseStatus(CaseRef, String),
    /// `/updateReports?agent=A`: writes the reports; `shutdownOnComplete=true` then stops.
    UpdateReports {
        /// Whose cases the report is to have.
        agent: Option<String>,
        /// Whether to stop afterwards.
        stop: bool,
    },
    /// `/stopServer`.
    StopServer,
    /// Any other path: the client says what is to be sent to it.
    Command,
}

/// Which case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CaseRef {
    /// Its number in the selection, from 1.
    Number(usize),
    /// Its id.
    Id(String),
}

/// What becomes of a client that does not name itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// It is called by a name that says so.
    Called,
    /// It is refused.
    Refused,
}

/// The name of an agent that gives none.
const NO_AGENT: &str = "unnamed";
/// Longer names are cut, in characters.
const LONGEST_AGENT: usize = 200;

impl Call {
    /// Reads a request target; who does not name itself is either called by a name or refused.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a sentence.
    pub(crate) fn parse(target: &str, unnamed: Unnamed) -> Result<Self, String> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parameter = |name: &str| {
            query.split('&').find_map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                (key == name).then(|| decode(value))
            })
        };
        let given = |name: &str| query.split('&').filter(|pair| pair.split('=').next() == Some(name)).count();
        let twice =
            ["agent", "case", "casetuple", "shutdownOnComplete"].into_iter().find(|name| given(name) > 1);
        if let Some(name) = twice {
            return Err(format!("{name} is given more than once"));
        }
        let case = || {
            let Some(number) = parameter("case") else {
                let id = parameter("casetuple").ok_or("give the case as case=N or casetuple=ID")?;
                return Ok(CaseRef::Id(id.trim().to_owned()));
            };
            match number.parse() {
                Ok(number @ 1..) => Ok(CaseRef::Number(number)),
                Ok(0) | Err(_) => Err(format!("case={number} is no number from 1")),
            }
        };
        let agent = || {
            let name = match (parameter("agent").filter(|name| !name.is_empty()), unnamed) {
                (Some(name), _) => name,
                (None, Unnamed::Called) => NO_AGENT.to_owned(),
                (None, Unnamed::Refused) => return Err("give your name as agent=NAME".to_owned()),
            };
            Ok(name.chars().take(LONGEST_AGENT).collect())
        };
        match path {
            "/getCaseCount" => Ok(Self::CaseCount),
            "/getCaseInfo" => Ok(Self::CaseInfo(case()?)),
            "/runCase" => Ok(Self::RunCase(case()?, agent()?)),
            "/getCaseStatus" => Ok(Self::CaseStatus(case()?, agent()?)),
            "/updateReports" => {
                let stop = parameter("shutdownOnComplete")
                    .is_some_and(|yes| ["true", "yes"].contains(&yes.to_lowercase().as_str()));
                let agent = match (parameter("agent"), unnamed) {
                    (None, Unnamed::Called) => None,
                    (Some(_), _) | (None, Unnamed::Refused) => Some(agent()?),
                };
                Ok(Self::UpdateReports { agent, stop })
            }
            "/stopServer" => Ok(Self::StopServer),
            _ => Ok(Self::Command),
        }
    }
}

/// A value of a query, with `%XX` and `+` taken for what they stand for.
fn decode(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [a, b, ..]) => {
                std::str::from_utf8(&[*a, *b]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        match (escaped, first) {
            (Some(byte), _) => {
                bytes.push(byte);
                rest = &tail[2..];
                continue;
            }
            (None, b'+') => bytes.push(b' '),
            (None, other) => bytes.push(*other),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls() {
        let number = |n| CaseRef::Number(n);
        let reports =
            |agent: Option<&str>, stop| Call::UpdateReports { agent: agent.map(str::to_owned), stop };
        for (target, call) in [
            ("/getCaseCount", Call::CaseCount),
            ("/getCaseInfo?case=3", Call::CaseInfo(number(3))),
            ("/getCaseInfo?casetuple=6.4.1&case=3", Call::CaseInfo(number(3))),
            ("/getCaseInfo?casetuple=%206.4.1", Call::CaseInfo(CaseRef::Id("6.4.1".to_owned()))),
            ("/runCase?case=12&agent=a%20b%2fc+d", Call::RunCase(number(12), "a b/c d".to_owned())),
            ("/runCase?agent=&case=1", Call::RunCase(number(1), "unnamed".to_owned())),
            ("/getCaseStatus?case=1&agent=x", Call::CaseStatus(number(1), "x".to_owned())),
            ("/updateReports?agent=x", reports(Some("x"), false)),
            ("/updateReports?agent=x&shutdownOnComplete=true", reports(Some("x"), true)),
            ("/updateReports?agent=x&shutdownOnComplete=Yes", reports(Some("x"), true)),
            ("/updateReports?shutdownOnComplete=no", reports(None, false)),
            ("/stopServer", Call::StopServer),
            ("/", Call::Command),
            ("/runcase?case=1", Call::Command),
        ] {
            assert_eq!(Call::parse(target, Unnamed::Called), Ok(call), "{target}");
        }
    }

    #[test]
    fn what_is_no_call() {
        for target in [
            "/runCase",
            "/runCase?case=0",
            "/runCase?case=x",
            "/getCaseInfo?agent=a",
            "/runCase?case=1&agent=a&agent=b",
        ] {
            assert!(Call::parse(target, Unnamed::Called).is_err(), "{target}");
        }
        for target in ["/runCase?case=1", "/runCase?case=1&agent=", "/getCaseStatus?case=1", "/updateReports"]
        {
            assert!(Call::parse(target, Unnamed::Called).is_ok(), "{target}");
            assert!(Call::parse(target, Unnamed::Refused).is_err(), "{target}");
        }
        assert_eq!(Call::parse("/getCaseCount", Unnamed::Refused), Ok(Call::CaseCount));
        let long = format!("/runCase?case=1&agent={}", "ä".repeat(1000));
        assert!(
            matches!(Call::parse(&long, Unnamed::Refused), Ok(Call::RunCase(_, agent)) if agent.chars().count() == LONGEST_AGENT)
        );
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
    }
}
