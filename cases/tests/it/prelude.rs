//! Preludes: what may stand in one, and the literal text of every mistake.

use insta::assert_snapshot;
use wsgrade_cases::load::{LoadError, read_prelude};
use wsgrade_cases::model::Step;

fn wrong(text: &str) -> String {
    match read_prelude("login.toml", text) {
        Ok(_) => "no error".to_owned(),
        Err(problems) => LoadError::Problems(problems).to_string(),
    }
}

#[test]
fn a_login_is_sent_and_its_answer_awaited() {
    let text = r#"
        steps = [
          { await = "any", within = "1s" },
          { send = "text", text = '{"login":"me"}', fragment = 5 },
          { await = "text", text = "welcome" },
          { probe = "alive" },
        ]
    "#;
    let steps = read_prelude("login.toml", text).unwrap();
    assert_eq!(steps.len(), 6, "a message in fragments is as many steps: {steps:#?}");
    assert!(matches!(steps[0], Step::Await { .. }));
    assert!(matches!(steps[5], Step::Probe { .. }));
}

#[test]
fn what_is_wrong_with_a_prelude() {
    assert_snapshot!(wrong("step = []"), @"
    login.toml:1:1: unknown key `step` in a prelude
      help: did you mean `steps`?
    login.toml:1:1: a prelude without `steps`
    ");
    assert_snapshot!(wrong("steps = []"), @r#"
    login.toml:1:1: a prelude without steps
      help: such as steps = [{ send = "text", text = "login" }]
    "#);
    assert_snapshot!(wrong("steps = [{ sent = \"text\" }]"), @"
    login.toml:1:10: a step does something: `send`, `exchange`, `await`, `probe`, `pause`, `read`, `hold` or `end`
      help: did you mean `send`?
    ");
    assert_snapshot!(wrong("steps = [\n  { send = \"ping\" },\n  { send = \"close\", code = 1000 },\n]"), @"
    login.toml:3:3: the prelude closes the connection
      help: a prelude is what a lawful client says before the case begins; what is wrong belongs into a case
    ");
    assert_snapshot!(wrong("steps = [\n  { send = \"text\", text = \"a\", mask = \"wrong\" },\n]"), @"
    login.toml:2:3: the prelude masks its frame the wrong way
      help: a prelude is what a lawful client says before the case begins; what is wrong belongs into a case
    ");
    assert_snapshot!(wrong("steps = [{ end = \"abort\" }]"), @"
    login.toml:1:10: the prelude ends the connection
      help: a prelude is what a lawful client says before the case begins; what is wrong belongs into a case
    ");
    assert_snapshot!(wrong("steps = [{ send = \"text\", text = \"a\", fin = false }]"), @"
    login.toml:1:10: the prelude ends within a message
      help: the last frame of a message has FIN, which is so unless `fin = false`
    ");
    assert_snapshot!(wrong("steps = [{ exchange = \"text\", repeat = \"2a\", size = 1, messages = 2 }]"), @"
    login.toml:1:10: an exchange in a prelude
      help: send and await its messages one by one
    ");
    assert_snapshot!(wrong("steps = [{ read = false }]"), @"
    login.toml:1:10: a stress in a prelude
      help: a prelude is what a lawful client says before the case begins; what is wrong belongs into a case
    ");
    assert_snapshot!(wrong("steps = [{ send = \"text\", hex = \"ff\" }]"), @"
    login.toml:1:10: the prelude completes a text that is not UTF-8
      help: a prelude is what a lawful client says before the case begins; what is wrong belongs into a case
    ");
}
