//! Every mistake that a user can make in a case file, and the literal text that comes of it.

use insta::assert_snapshot;
use wsgrade_cases::Catalogue;
use wsgrade_cases::load::{self, LoadError};

use crate::case;

fn wrong(text: &str) -> String {
    match load::read("my.toml", text) {
        Ok(_) => "no error".to_owned(),
        Err(problems) => LoadError::Problems(problems).to_string(),
    }
}

fn in_case(lines: &str) -> String {
    wrong(&case(lines))
}

fn in_step(step: &str) -> String {
    in_case(&format!("steps = [{step}]"))
}

fn in_accept(accept: &str) -> String {
    in_case(&format!("accept = [{accept}]"))
}

#[test]
fn toml() {
    assert_snapshot!(wrong("[[case]\nid = 1"), @"my.toml:1:8: not TOML: unclosed array table, expected `]`");
    assert_snapshot!(wrong("[[case]]\nid = \"a\nb\"\n"), @r#"
    my.toml:3:3: not TOML: key with no value, expected `=`
    my.toml:2:8: not TOML: invalid basic string, expected `"`
    my.toml:3:2: not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`
    "#);
    assert_snapshot!(wrong("[[case]]\nid = \"a\"\nid = \"b\"\n"), @"my.toml:3:1: not TOML: duplicate key");
    assert_snapshot!(wrong("cases = []"), @"
    my.toml:1:1: unknown key `cases` in a case file
      help: did you mean `case`?
    ");
    assert_snapshot!(wrong("case = 3"), @"my.toml:1:8: `case` is a number, expected a list");
    assert_snapshot!(wrong("[case]\nid = \"1\""), @"my.toml:1:1: one `case` in brackets, expected two: [[case]]");
    assert_snapshot!(wrong("case = [1]"), @"my.toml:1:9: a case is expected to be a table, not a number");
}

#[test]
fn what_is_missing_or_unknown_in_a_case_is_said_at_once() {
    assert_snapshot!(wrong("[[case]]\ntitel = \"x\"\nid = \"a b\"\n"), @"
    my.toml:2:1: unknown key `titel` in a case
      help: did you mean `title`?
    my.toml:3:6: `a b` is no case id: parts of letters and digits, joined by dots, such as `6.4.1` or `F.3`
    my.toml:1:1: a case without `title`
    my.toml:1:1: a case without `why`
    my.toml:1:1: a case without `rules`
    ");
    assert_snapshot!(in_case("zzz = 1"), @"
    my.toml:6:1: unknown key `zzz` in a case
      help: it may have `id`, `title`, `why`, `rules`, `roles`, `needs`, `opening`, `steps`, `stress`, `accept`, `ending`, `catches` and `differs`
    ");
    assert_snapshot!(in_case("rows = []"), @"
    my.toml:6:1: unknown key `rows` in a case
      help: a case with parameters is a [[family]]
    ");
}

#[test]
fn types_in_a_case() {
    assert_snapshot!(wrong("[[case]]\nid = 1\ntitle = 2.5\nwhy = 2026-01-01\nrules = \"x\"\nroles = true\n"), @"
    my.toml:2:6: `id` is a number, expected a string
    my.toml:3:9: `title` is a fraction, expected a string
    my.toml:4:7: `why` is a date, expected a string
    my.toml:5:9: `rules` is a string, expected a list
    my.toml:6:9: `roles` is a boolean, expected a list
    ");
    assert_snapshot!(in_case("roles = [\"serve\"]\nneeds = [\"ecko\", 3]\ncatches = [1]\ndiffers = []"), @r#"
    my.toml:6:10: `roles` is "serve", expected `server` or `client`
      help: did you mean "server"?
    my.toml:7:10: `needs` is "ecko", expected `echo`, `deflate` or `tls`
      help: did you mean "echo"?
    my.toml:7:18: `needs` is a number, expected a string
    my.toml:8:12: `catches` is a number, expected a string
    my.toml:9:11: `differs` is a list, expected a string
    "#);
    assert_snapshot!(in_case("roles = []\naccept = []"), @"
    my.toml:6:9: `roles` is empty, expected at least one
    my.toml:7:10: `accept` is empty, expected at least one outcome
    ");
    assert_snapshot!(wrong("[[case]]\nid = \"1\"\ntitle = \"t\"\nwhy = \"w\"\nrules = []\n"), @"my.toml:5:9: `rules` is empty, expected at least one");
}

#[test]
fn sections() {
    assert_snapshot!(wrong("[[section]]\nid = \"6\"\ntitel = \"x\"\n"), @"
    my.toml:3:1: unknown key `titel` in a section
      help: did you mean `title`?
    my.toml:1:1: a section without `title`
    ");
}

#[test]
fn exchanges() {
    assert_snapshot!(in_step("{ exchange = \"txt\", corpus = \"jsn\", size = -1, messages = 0 }"), @r#"
    my.toml:6:23: `exchange` is "txt", expected `text` or `binary`
      help: did you mean "text"?
    my.toml:6:39: `corpus` is "jsn", expected `json`, `bitmap`, `prose`, `html` or `document`
      help: did you mean "json"?
    my.toml:6:53: `size` is -1, expected 0 to 67108864
    my.toml:6:68: `messages` is 0, expected 1 to 100000
    "#);
    assert_snapshot!(in_step("{ exchange = \"text\" }"), @r#"
    my.toml:6:10: an `exchange` step without `corpus` or `repeat`
      help: such as corpus = "json", or repeat = "2a"
    my.toml:6:10: an `exchange` step without `size`
    my.toml:6:10: an `exchange` step without `messages`
    "#);
    assert_snapshot!(in_step("{ exchange = \"text\", corpus = \"json\", repeat = \"2a\", size = 1, messages = 1 }"), @"my.toml:6:57: messages are made in one way, and here are `corpus` and `repeat`");
    assert_snapshot!(in_step("{ exchange = \"text\", repeat = \"\", size = 67108865, messages = 100001 }"), @"
    my.toml:6:40: `repeat` is empty, expected at least one byte in hex
    my.toml:6:51: `size` is 67108865, expected 0 to 67108864
    my.toml:6:72: `messages` is 100001, expected 1 to 100000
    ");
    assert_snapshot!(in_step("{ exchange = \"text\", repeat = 3, len = 1, size = 1, messages = 1 }"), @"
    my.toml:6:43: unknown key `len` in an `exchange` step
      help: it may have `exchange`, `corpus`, `repeat`, `size`, `messages`, `compressed`, `fragment` and `timed`
    my.toml:6:40: `repeat` is a number, expected a string
    ");
    assert_snapshot!(in_step("{ exchange = \"text\", corpus = \"html\", size = 1, messages = 1, fragment = 0, compressed = 1, timed = \"no\" }"), @"
    my.toml:6:99: `compressed` is a number, expected true or false
    my.toml:6:83: `fragment` is 0, expected 1 to 67108864
    my.toml:6:110: `timed` is a string, expected true or false
    ");
    assert_snapshot!(in_step("{ exchange = \"text\", send = \"text\" }"), @"my.toml:6:10: a step does one thing, and here are `send` and `exchange`");
    assert_snapshot!(in_step("{ await = \"exchanged\" }"), @r#"my.toml:6:20: `await` is "exchanged", expected `text`, `binary`, `pong`, `open`, `any` or `close`"#);
    assert_snapshot!(in_case("opening = { deflate = [{ max_window_bits = 7, no_context_takeover = 1 }, 9, { window = 9 }] }"), @"
    my.toml:6:44: `max_window_bits` is 7, expected 8 to 15
    my.toml:6:69: `no_context_takeover` is a number, expected true or false
    my.toml:6:74: a wish for permessage-deflate is expected to be a table, not a number
    my.toml:6:79: unknown key `window` in a wish for permessage-deflate
      help: it may have `no_context_takeover`, `max_window_bits`, `our_context_takeover` and `our_window_bits`
    ");
    assert_snapshot!(in_case("opening = { deflate = {} }"), @"my.toml:6:23: `deflate` is a table, expected a list");
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = [{ exchanged = 0 }, { exchanged = \"all\" }, { declined = \"deflate\" }] }"), @r#"
    my.toml:6:52: `exchanged` is 0, expected 1 to 100000
    my.toml:6:71: `exchanged` is a string, expected a number
    my.toml:6:93: `declined` is "deflate", expected `permessage-deflate`
    "#);
}

/// A unit of no bytes has no part: what reads on must not divide by its length.
#[test]
fn nothing_over_and_over_is_an_error_however_it_is_cut() {
    assert_snapshot!(in_step("{ send = \"text\", repeat = \"\", len = 5, fragment = 2 }"), @"my.toml:6:36: `repeat` is empty, expected at least one byte in hex");
}

#[test]
fn what_a_step_does() {
    assert_snapshot!(in_step("{ sned = \"text\" }"), @"
    my.toml:6:10: a step does something: `send`, `exchange`, `await`, `probe`, `pause`, `read`, `hold` or `end`
      help: did you mean `send`?
    ");
    assert_snapshot!(in_step("{ text = \"a\" }"), @"my.toml:6:10: a step does something: `send`, `exchange`, `await`, `probe`, `pause`, `read`, `hold` or `end`");
    assert_snapshot!(in_step("{ send = \"text\", probe = \"A\" }"), @"my.toml:6:10: a step does one thing, and here are `send` and `probe`");
    assert_snapshot!(in_step("3"), @"my.toml:6:10: a step is expected to be a table, not a number");
    assert_snapshot!(in_step("{ send = \"txt\" }"), @r#"
    my.toml:6:19: `send` is "txt", expected an opcode from 0 to 15 or one of `continuation`, `text`, `binary`, `close`, `ping`, `pong`, `more` and `raw`
      help: did you mean "text"?
    "#);
    assert_snapshot!(in_step("{ send = 16 }"), @"my.toml:6:19: `send` is 16, expected an opcode from 0 to 15 or one of `continuation`, `text`, `binary`, `close`, `ping`, `pong`, `more` and `raw`");
    assert_snapshot!(in_step("{ send = true }"), @"my.toml:6:19: `send` is a boolean, expected an opcode from 0 to 15 or one of `continuation`, `text`, `binary`, `close`, `ping`, `pong`, `more` and `raw`");
    assert_snapshot!(in_step("{ end = \"abrupt\" }"), @r#"
    my.toml:6:18: `end` is "abrupt", expected `abort` or `half`
      help: did you mean "abort"?
    "#);
    assert_snapshot!(in_step("{ send = \"ping\", for = \"1s\", chop = 1 }"), @"my.toml:6:33: `for` cannot go with `chop`");
    assert_snapshot!(in_step("{ read = 1 }"), @"my.toml:6:19: `read` is a number, expected true or false");
    assert_snapshot!(in_step("{ hold = \"soon\" }"), @r#"my.toml:6:19: `hold` is "soon", expected a time such as "250ms" (units s, ms, us, ns)"#);
    assert_snapshot!(in_case("stress = { conections = 3, memory = -1 }"), @"
    my.toml:6:12: unknown key `conections` in a `stress`
      help: did you mean `connections`?
    my.toml:6:37: `memory` is -1, expected 0 to 9223372036854775807
    ");
    assert_snapshot!(in_case("stress = { connections = 0, growth = 1, cpu = 3, files = \"\", kept = true }"), @"
    my.toml:6:26: `connections` is 0, expected 1 to 10000
    my.toml:6:58: `files` is a string, expected a number
    my.toml:6:38: `growth` is a number, expected true or false
    my.toml:6:47: `cpu` is a number, expected a string
    my.toml:6:69: `kept` is a boolean, expected a number
    ");
    assert_snapshot!(in_step("{ probe = 1 }"), @"my.toml:6:20: `probe` is a number, expected a string");
}

#[test]
fn parts_of_a_frame() {
    assert_snapshot!(in_step("{ send = \"text\", finn = true }"), @"
    my.toml:6:27: unknown key `finn` in a `send` step
      help: did you mean `fin`?
    ");
    assert_snapshot!(in_step("{ send = \"text\", fin = 0, rsv = 8, times = 0 }"), @"
    my.toml:6:42: `rsv` is 8, expected 0 to 7
    my.toml:6:53: `times` is 0, expected 1 to 1048576
    my.toml:6:33: `fin` is a number, expected true or false
    ");
    assert_snapshot!(in_step("{ send = \"text\", mask = \"right\" }"), @r#"my.toml:6:34: `mask` is "right", expected "role-default", "wrong" or a key of 8 hex digits"#);
    assert_snapshot!(in_step("{ send = \"text\", mask = \"123456\" }"), @r#"my.toml:6:34: `mask` is "123456", expected "role-default", "wrong" or a key of 8 hex digits"#);
    assert_snapshot!(in_step("{ send = \"text\", length = \"32-bit\" }"), @r#"
    my.toml:6:36: `length` is "32-bit", expected `7-bit`, `16-bit` or `64-bit`
      help: did you mean "7-bit"?
    "#);
    assert_snapshot!(in_step("{ send = \"text\", declared = -1 }"), @"my.toml:6:38: `declared` is -1, expected 0 to 9223372036854775807");
    assert_snapshot!(in_step("{ send = \"text\", declared = \"1000\" }"), @r#"my.toml:6:38: `declared` is "1000", expected a number, or hex digits such as "0x8000000000000000""#);
    assert_snapshot!(in_step("{ send = \"text\", declared = 18446744073709551615 }"), @r#"
    my.toml:6:38: the number does not fit 64 signed bits
      help: a declared length may be written as a string: "0xffffffffffffffff"
    "#);
    assert_snapshot!(in_step("{ send = \"more\", fin = false }"), @"
    my.toml:6:27: unknown key `fin` in a `send` step without a header
      help: it may have `send`, `chop`, `chop_pause`, `text`, `hex`, `repeat`, `len`, `join`, `code` and `reason`
    ");
}

#[test]
fn writes() {
    assert_snapshot!(in_step("{ send = \"text\", chop = 0 }"), @"my.toml:6:34: `chop` is 0, expected 1 to 4294967295");
    assert_snapshot!(in_step("{ send = \"text\", chop = \"lone\" }"), @r#"
    my.toml:6:34: `chop` is "lone", expected `together` or `alone`
      help: did you mean "alone"?
    "#);
    assert_snapshot!(in_step("{ send = \"text\", chop = [] }"), @"my.toml:6:34: `chop` is an empty list, expected the sizes of the pieces");
    assert_snapshot!(in_step("{ send = \"text\", chop = [1, 0] }"), @"my.toml:6:38: `chop` is 0, expected 1 to 4294967295");
    assert_snapshot!(in_step("{ send = \"text\", chop = true }"), @r#"my.toml:6:34: `chop` is a boolean, expected "alone", a number of bytes or a list of such numbers"#);
    assert_snapshot!(in_step("{ send = \"text\", chop_pause = \"10\" }"), @r#"my.toml:6:40: `chop_pause` is "10", expected a time such as "250ms" (units s, ms, us, ns)"#);
}

#[test]
fn fragments() {
    assert_snapshot!(in_step("{ send = \"ping\", fragment = 1 }"), @"my.toml:6:38: `fragment` is for messages: a control frame cannot be fragmented");
    assert_snapshot!(in_step("{ send = \"text\", fragment = 0 }"), @"my.toml:6:38: `fragment` is 0, expected 1 to 67108864");
    assert_snapshot!(in_step("{ send = \"text\", fragment = 1, times = 2 }"), @"my.toml:6:38: `fragment` cannot go with `times`");
    assert_snapshot!(in_step("{ send = \"text\", repeat = \"00\", len = 67108864, fragment = 1 }"), @"my.toml:6:69: more than 1048576 fragments");
}

#[test]
fn payloads() {
    assert_snapshot!(in_step("{ send = \"text\", text = \"a\", hex = \"61\" }"), @"
    my.toml:6:10: a payload is given in one way, and here are `text` and `hex`
      help: put parts together with `join`
    ");
    assert_snapshot!(in_step("{ send = \"text\", hex = \"6\" }"), @r#"my.toml:6:33: `hex` is "6", expected pairs of hex digits"#);
    assert_snapshot!(in_step("{ send = \"text\", repeat = \"61\" }"), @"my.toml:6:10: a `send` step without `len`");
    assert_snapshot!(in_step("{ send = \"text\", repeat = \"\", len = 3 }"), @"my.toml:6:36: `repeat` is empty, expected at least one byte in hex");
    assert_snapshot!(in_step("{ send = \"text\", repeat = \"61\", len = 67108865 }"), @"my.toml:6:48: `len` is 67108865, expected 0 to 67108864");
    assert_snapshot!(in_step("{ send = \"text\", len = 3 }"), @"my.toml:6:33: `len` without `repeat`");
    assert_snapshot!(in_step("{ send = \"close\", reason = \"bye\" }"), @"my.toml:6:37: `reason` without `code`");
    assert_snapshot!(in_step("{ send = \"close\", code = 70000 }"), @"my.toml:6:35: `code` is 70000, expected 0 to 65535");
    assert_snapshot!(in_step("{ send = \"text\", join = [1, { texte = \"a\" }] }"), @r#"
    my.toml:6:35: a payload is expected to be a string or a table, not a number
      help: such as "Hello", or { hex = "00ff" }
    my.toml:6:40: unknown key `texte` in a payload
      help: did you mean `text`?
    "#);
}

#[test]
fn waiting() {
    assert_snapshot!(in_step("{ await = \"pung\" }"), @r#"
    my.toml:6:20: `await` is "pung", expected `text`, `binary`, `pong`, `open`, `any` or `close`
      help: did you mean "pong"?
    "#);
    assert_snapshot!(in_step("{ await = \"close\", text = \"a\" }"), @"
    my.toml:6:29: unknown key `text` in an `await` step
      help: it may have `await` and `within`
    ");
    assert_snapshot!(in_step("{ await = \"open\" }"), @"my.toml:6:10: an `await` step without `mark`");
    assert_snapshot!(in_step("{ pause = 250 }"), @"my.toml:6:20: `pause` is a number, expected a string");
    assert_snapshot!(in_step("{ pause = \"soon\" }"), @r#"my.toml:6:20: `pause` is "soon", expected a time such as "250ms" (units s, ms, us, ns)"#);
}

#[test]
fn outcomes() {
    assert_snapshot!(in_accept("{ saw = [] }"), @"my.toml:6:11: an accepted outcome without `verdict`");
    assert_snapshot!(in_accept("{ verdict = \"nonstrict\", saw = \"answer\" }"), @r#"
    my.toml:6:23: `verdict` is "nonstrict", expected `pass`, `informational`, `unimplemented`, `non-strict` or `fail`
      help: did you mean "non-strict"?
    my.toml:6:42: `saw` is "answer", expected `answers` or `anything`
      help: did you mean "answers"?
    "#);
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = 3 }"), @r#"my.toml:6:37: `saw` is a number, expected "answers", "anything" or a list of answers"#);
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = \"answers\", order = \"any\" }"), @"my.toml:6:37: `order` is for a list of answers, and `saw` is none");
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = [], order = \"some\" }"), @r#"my.toml:6:49: `order` is "some", expected `exact`, `any`, `latest-pong`, `apart` or `up-to`"#);
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = [{ txt = \"a\" }] }"), @"
    my.toml:6:40: unknown key `txt` in an answer
      help: did you mean `text`?
    ");
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = [{ text = \"a\", pong = \"b\" }] }"), @r#"
    my.toml:6:38: an answer is one of `text`, `binary`, `pong`, `open`, `exchanged`, `declined`, `refused`, `dropped` or `unanswered`
      help: such as { text = "Hello" }
    "#);
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = [{ text = 1 }] }"), @r#"
    my.toml:6:47: a payload is expected to be a string or a table, not a number
      help: such as "Hello", or { hex = "00ff" }
    "#);
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = [\"a\"] }"), @"my.toml:6:38: an answer is expected to be a table, not a string");
}

#[test]
fn endings() {
    assert_snapshot!(in_case("ending = { codes = [1000] }"), @"my.toml:6:10: an ending without `by`");
    assert_snapshot!(in_case("ending = { by = \"them\", codes = [70000, \"1000\"], clean = \"yes\" }"), @r#"
    my.toml:6:17: `by` is "them", expected `us`, `peer` or `either`
    my.toml:6:34: `codes` is 70000, expected 0 to 65535
    my.toml:6:41: `codes` is a string, expected a number
    my.toml:6:58: `clean` is a string, expected true or false
    "#);
    assert_snapshot!(in_case("ending = \"peer\""), @"my.toml:6:10: an ending is expected to be a table, not a string");
}

#[test]
fn openings() {
    assert_snapshot!(in_case("opening = { methods = \"GET\", status = 99 }"), @"
    my.toml:6:13: unknown key `methods` in an opening
      help: did you mean `method`?
    my.toml:6:39: `status` is 99, expected 100 to 999
    ");
    assert_snapshot!(in_case("opening = { headers = [{ set = \"A\", remove = \"B\" }] }"), @r#"
    my.toml:6:24: a header edit is one of `set`, `add`, `remove` or `raw`
      help: such as { set = "Origin", value = "https://a.example" }
    "#);
    assert_snapshot!(in_case("opening = { headers = [{ set = \"A\" }, { remove = \"B\", value = \"c\" }, { sett = \"A\" }] }"), @r#"
    my.toml:6:24: a header edit without `value`
    my.toml:6:63: `remove` says it all, without a `value`
    my.toml:6:72: unknown key `sett` in a header edit
      help: did you mean `set`?
    my.toml:6:70: a header edit is one of `set`, `add`, `remove` or `raw`
      help: such as { set = "Origin", value = "https://a.example" }
    "#);
}

/// A family with these lines after the required ones.
fn family(lines: &str) -> String {
    wrong(&case(lines).replace("[[case]]", "[[family]]").replace("X.1", "X.{n}"))
}

#[test]
fn families() {
    assert_snapshot!(family(""), @"
    my.toml:1:1: a family without `rows` or `with`
      help: a case without parameters is a [[case]]
    ");
    assert_snapshot!(family("rows = []"), @"my.toml:6:8: `rows` is empty, expected at least one");
    assert_snapshot!(family("rows = [{ a = 1 }]\nwith = { a = [1] }"), @"my.toml:1:1: a family has either `rows` or `with`");
    assert_snapshot!(family("rows = [{ size = 1 }]"), @"my.toml:6:11: parameter `size` is used nowhere");
    assert_snapshot!(family("rows = [{ size = 1 }]\ndiffers = \"{sise}\""), @"
    my.toml:7:11: unknown parameter `{sise}`
      help: did you mean `{size}`?
    my.toml:6:11: parameter `size` is used nowhere
    ");
    assert_snapshot!(family("rows = [{ size = 1 }]\ndiffers = \"{size} and {other}\""), @"
    my.toml:7:11: unknown parameter `{other}`
      help: this family has `size` and `n`
    ");
    assert_snapshot!(family("rows = [{ size = [1] }]\ndiffers = \"size {size}\""), @r#"
    my.toml:7:11: parameter `size` is neither a string nor a number
      help: it can only stand alone: "{size}"
    "#);
    assert_snapshot!(family("rows = [{ size = [1] }]\ndiffers = \"{size}\""), @"my.toml:6:18: `differs` is a list, expected a string");
    assert_snapshot!(family("rows = [{ size = 1 }]\ndiffers = \"{size} } {\""), @"
    my.toml:7:11: a brace without its partner
      help: a brace itself is written `{{` or `}}` in a family
    ");
    assert_snapshot!(family("rows = [3]"), @"
    my.toml:6:9: a row is expected to be a table, not a number
    my.toml:6:8: `rows` is empty, expected at least one
    ");
    assert_snapshot!(family("with = { size = [] }"), @"my.toml:6:10: parameter `size`: no values");
    assert_snapshot!(family("with = { size = 3 }"), @"
    my.toml:6:17: `size` is a number, expected a list
    my.toml:6:10: parameter `size`: no values
    ");
    let many = vec!["0"; 101].join(",");
    assert_snapshot!(family(&format!("with = {{ a = [{many}], b = [{many}] }}")), @"my.toml:6:219: parameter `b`: too many combinations");
}

#[test]
fn braces_and_parameters() {
    let text = case(
        "differs = \"{{n}} is {n}\"\nsteps = [{ send = \"{what}\", fin = \"{fin}\" }]\nrows = [{ what = \"text\", fin = true }, { what = 3, fin = false }]",
    );
    let text = text.replace("[[case]]", "[[family]]").replace("X.1", "X.{n}");
    let file = load::read("my.toml", &text).expect("a family");
    let said: Vec<_> =
        file.scenarios.iter().map(|(scenario, _)| scenario.differs.clone().unwrap_or_default()).collect();
    assert_eq!(said, ["{n} is 1", "{n} is 2"]);
    assert_eq!(file.scenarios[1].0.id.as_str(), "X.2");
}

fn catalogue(files: &[(&str, &str)]) -> String {
    Catalogue::read(files).map_or_else(|error| error.to_string(), |_| "no error".to_owned())
}

#[test]
fn ids_and_sections_are_unique_among_files() {
    let section = "[[section]]\nid = \"X\"\ntitle = \"Tests\"\n";
    let text = format!("{section}{}", case(""));
    assert_eq!(catalogue(&[("a.toml", &text)]), "no error");
    // Files that are made one by one each say what they belong to; only another title is another section.
    let more = text.replace("X.1", "X.2");
    assert_eq!(catalogue(&[("a.toml", &text), ("b.toml", &more)]), "no error");
    let other = text.replace("Tests", "Others");
    assert_snapshot!(catalogue(&[("a.toml", &text), ("b.toml", &other)]), @"
    b.toml:1:1: section `X` is there already, at a.toml:1:1
    b.toml:5:6: case `X.1` is there already, at a.toml:5:6
      help: ids are unique among all cases, the built-in ones included
    ");
}

#[test]
fn what_the_linter_finds_is_said_where_the_case_is() {
    let text = case("").replace("rfc6455-5.6-text", "rfc6455-5.6-txt");
    assert_snapshot!(catalogue(&[("a.toml", &text)]), @r#"
    a.toml:2:6: case `X.1`: no rule `rfc6455-5.6-txt` in the register
      help: did you mean `rfc6455-5.6-text`?
    a.toml:2:6: case `X.1`: section `X` has no title
      help: add [[section]] with id = "X" and a title
    "#);
}

#[test]
fn statuses_of_a_refusal() {
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = [{ refused = [] }] }"), @r#"my.toml:6:50: `refused` is empty, expected statuses such as 400 or "4xx""#);
    assert_snapshot!(in_accept("{ verdict = \"pass\", saw = [{ refused = [\"6xx\", \"bad\", 99] }] }"), @r#"
    my.toml:6:51: `refused` holds "6xx", expected a status such as 400 or "4xx"
    my.toml:6:58: `refused` holds "bad", expected a status such as 400 or "4xx"
    my.toml:6:65: `refused` is 99, expected 100 to 999
    "#);
}

#[test]
fn a_family_has_bounds() {
    let rows = "{ n = 1 }, ".repeat(10_001);
    assert_snapshot!(family(&format!("rows = [{rows}]")), @"my.toml:6:8: more than 10000 cases in one family");
}
