//! Grades echo servers on three other codecs with the real binary, and a client. What each of them does otherwise than a strict
//! server is known and written down here; a harness that finds less, or more, fails.

mod common;

use common::clients;
use common::deviations::{Deviation, differences};
use common::grade::{Verdicts, grade, grade_client};
use common::servers::{ANY_PORT, Server};

#[test]
fn tokio_tungstenite() {
    holds(&Server::tungstenite(ANY_PORT), TUNGSTENITE);
}

#[test]
fn fastwebsockets() {
    holds(&Server::fastwebsockets(ANY_PORT), FASTWEBSOCKETS);
}

#[test]
fn tokio_websockets() {
    holds(&Server::tokio_websockets(ANY_PORT), TOKIO_WEBSOCKETS);
}

#[test]
fn tokio_tungstenite_as_a_client() {
    compare(&grade_client(clients::tungstenite), TUNGSTENITE_CLIENT);
}

fn holds(server: &Server, table: &[Deviation]) {
    compare(&grade(&server.url(), &[]), table);
}

fn compare(verdicts: &Verdicts, table: &[Deviation]) {
    let numbered = verdicts.keys().filter(|id| id.starts_with(|first: char| first.is_ascii_digit())).count();
    assert_eq!(numbered, 517, "the cases of Autobahn|Testsuite");
    let differences = differences(verdicts, table);
    assert!(
        differences.is_empty(),
        "\ncase     expected                 seen                     why\n{differences}"
    );
}

/// RFC 6455 7.1.7: "If _The WebSocket Connection is Established_ prior to the point where the endpoint is required to
/// _Fail the WebSocket Connection_, the endpoint SHOULD send a Close frame with an appropriate status code before
/// proceeding to _Close the WebSocket Connection_."
const NO_CLOSE_FRAME: &str = "ends TCP without a Close frame when a rule is broken (7.1.7)";

/// Cases in which the connection has to be failed, and each of the three does so by ending TCP.
#[rustfmt::skip]
const DROPPED: &[&str] = &[
    "2.5", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "4.1.1", "4.1.2", "4.1.3", "4.1.4", "4.1.5",
    "4.2.1", "4.2.2", "4.2.3", "4.2.4", "4.2.5", "5.1", "5.2", "5.9", "5.10", "5.11", "5.12", "5.13",
    "5.14", "5.15", "5.16", "5.17", "5.18", "6.3.1", "6.3.2", "6.4.1", "6.4.2", "6.6.1", "6.6.3", "6.6.4",
    "6.6.6", "6.6.8", "6.6.10", "6.8.1", "6.8.2", "6.10.1", "6.10.2", "6.10.3", "6.11.5", "6.12.1",
    "6.12.2", "6.12.3", "6.12.4", "6.12.5", "6.12.6", "6.12.7", "6.12.8", "6.13.1", "6.13.2", "6.13.3",
    "6.13.4", "6.13.5", "6.14.1", "6.14.2", "6.14.3", "6.14.4", "6.14.5", "6.14.6", "6.14.7", "6.14.8",
    "6.14.9", "6.14.10", "6.15.1", "6.16.1", "6.16.2", "6.16.3", "6.17.1", "6.17.2", "6.17.3", "6.17.4",
    "6.17.5", "6.18.1", "6.18.2", "6.18.3", "6.18.4", "6.18.5", "6.19.1", "6.19.2", "6.19.3", "6.19.4",
    "6.19.5", "6.20.1", "6.20.2", "6.20.3", "6.20.4", "6.20.5", "6.20.6", "6.20.7", "6.21.1", "6.21.2",
    "6.21.3", "6.21.4", "6.21.5", "6.21.6", "6.21.7", "6.21.8", "7.3.2", "7.5.1",
];

/// The same of our own cases.
#[rustfmt::skip]
const DROPPED_OURS: &[&str] = &[
    "C.4.1", "C.4.2", "C.4.3", "C.4.4", "C.4.5", "C.4.6", "C.4.7", "C.4.8", "C.4.9", "C.4.10", "C.4.11",
    "C.4.12", "C.7.*", "D.10.*", "F.16.*", "F.17.*", "F.18.*", "F.19.*", "F.20.*", "F.24.9", "F.24.10",
    "F.24.11", "F.24.12", "F.24.13", "F.24.14", "F.25.*", "U.3.*", "U.4.*", "U.5.1", "U.5.2", "U.5.3", "U.5.4", "U.5.5",
    "U.5.7", "U.5.8", "U.7.*", "U.9.8",
];

/// RFC 6455 8.1 asks to fail the connection when text is found not to be UTF-8, and leaves open when to look; only
/// tokio-websockets looks before the frame is complete.
const UTF8_BY_FRAME: Deviation = Deviation {
    cases: &["6.4.3", "6.4.4"],
    behavior: "non-strict",
    close: "dropped",
    reason: "looks at text only when its frame is complete (8.1)",
};

/// RFC 6455 5.2: "in all cases, the minimal number of bytes MUST be used to encode the length"; 10.7 asks the receiver to
/// validate what comes in.
const LONG_FORMS: Deviation = Deviation {
    cases: &["F.7", "F.8", "F.9", "F.10", "F.11"],
    behavior: "non-strict",
    close: "informational",
    reason: "takes lengths in a longer form than they need (5.2)",
};

/// The same of a Close.
const LONG_FORM_OF_A_CLOSE: Deviation =
    Deviation { cases: &["C.4.13", "C.4.14"], close: "pass", ..LONG_FORMS };

/// RFC 6455 5.6: "the whole message MUST contain valid UTF-8", and 8.1 asks to fail the connection where it does not.
const CUT_CHARACTER: Deviation = Deviation {
    cases: &["U.5.6"],
    behavior: "fail",
    close: "wrong-side",
    reason: "takes a text that ends within a character, where the last fragment is empty (8.1)",
};

/// RFC 6455 5.5: "All control frames MUST have a payload length of 125 bytes or less" binds the sender; when the receiver
/// has to notice is not said, but 10.7 asks it to validate what comes in.
const WAITS_FOR_A_LONG_CLOSE: Deviation = Deviation {
    cases: &["F.6"],
    behavior: "non-strict",
    close: "informational",
    reason: "waits for all of a Close frame that says it is too long (5.5)",
};

/// RFC 7692 is optional.
const NO_DEFLATE: Deviation = Deviation {
    cases: &[
        "12.*", "13.*", "D.1.*", "D.2.*", "D.3.*", "D.4.*", "D.5.*", "D.6.*", "D.7.*", "D.8.*", "D.9.*",
        "D.11.*", "N.1.18", "R.2.11", "R.3.7", "R.5.*",
    ],
    behavior: "unimplemented",
    close: "informational",
    reason: "has no permessage-deflate",
};

/// RFC 6455 4.2.1: "the server MUST stop processing the client's handshake and return an HTTP response with an appropriate
/// error code (such as 400 Bad Request)."
const NO_HANDSHAKE: &str = "takes a request that is no opening handshake (4.2.1)";

/// RFC 6455 4.2.1: "A |Host| header field containing the server's authority."
const NO_HOST: Deviation = Deviation {
    cases: &["H.3.1"],
    behavior: "fail",
    close: "informational",
    reason: "takes a request without Host (4.2.1)",
};

/// RFC 6455 4.2.1 asks of the server to refuse "any violations of the ABNF grammar specified for the components of the
/// handshake".
const NOT_LOOKED_AT: Deviation = Deviation {
    cases: &[
        "H.3.2", "H.3.3", "H.3.4", "H.3.5", "H.3.6", "H.3.9", "H.3.10", "H.3.11", "H.4.10", "H.4.11",
        "H.5.15", "H.6.11", "N.4.9", "N.4.10", "N.4.11", "N.4.12", "N.4.13",
    ],
    behavior: "non-strict",
    close: "informational",
    reason: "does not look at Host, at the target, at subprotocols and at what is there twice (4.2.1)",
};

/// RFC 6455 4.2.1: "a base64-encoded (see Section 4 of [RFC4648]) value that, when decoded, is 16 bytes in length."
const KEY_NOT_LOOKED_AT: Deviation = Deviation {
    cases: &["H.4.4", "H.4.5", "H.4.6", "H.4.7", "H.4.8", "H.4.9"],
    reason: "hashes the key without a look at it (4.2.1)",
    ..NOT_LOOKED_AT
};

/// RFC 6455 4.2.1: "An |Upgrade| header field containing the value "websocket", treated as an ASCII case-insensitive value."
const UPGRADE_IS_NO_LIST: Deviation = Deviation {
    cases: &["H.1.19"],
    reason: "compares the whole of Upgrade, which is a list (4.2.1)",
    ..NOT_LOOKED_AT
};

/// RFC 6455 9.1: "the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_."
const EXTENSIONS_NOT_LOOKED_AT: Deviation = Deviation {
    cases: &["N.3.*"],
    behavior: "fail",
    close: "wrong-side",
    reason: "takes a list of extensions that is none (9.1)",
};

/// Cases that ask for TLS, which none of these is met through.
const NO_TLS: Deviation = Deviation { cases: &["S.4.*"], reason: "is met without TLS", ..NO_DEFLATE };

/// The same of a client: it is asked in vain.
const NO_DEFLATE_CLIENT: Deviation = Deviation {
    cases: &[
        "12.*", "13.*", "D.1.*", "D.2.*", "D.3.*", "D.4.*", "D.5.*", "D.6.*", "D.7.*", "D.8.*", "D.9.*",
        "D.11.*",
    ],
    close: "pass",
    ..NO_DEFLATE
};

const fn dropped(cases: &'static [&'static str]) -> Deviation {
    Deviation { cases, behavior: "pass", close: "dropped", reason: NO_CLOSE_FRAME }
}

const TUNGSTENITE: &[Deviation] = &[
    NO_DEFLATE,
    dropped(DROPPED),
    dropped(&["7.3.6", "F.1", "F.2", "F.3", "F.4", "F.5", "F.12", "F.13", "F.14", "F.15", "U.5.6"]),
    dropped(DROPPED_OURS),
    LONG_FORM_OF_A_CLOSE,
    UTF8_BY_FRAME,
    LONG_FORMS,
    WAITS_FOR_A_LONG_CLOSE,
    NO_TLS,
    NO_HOST,
    NOT_LOOKED_AT,
    UPGRADE_IS_NO_LIST,
    EXTENSIONS_NOT_LOOKED_AT,
    Deviation {
        cases: &["H.1.12"],
        behavior: "fail",
        close: "informational",
        reason: "reads one of two Connection fields (4.2.1; RFC 2616 4.2 makes them one list)",
    },
];

/// RFC 6455 4.1: "If the response includes a |Sec-WebSocket-Extensions| header field and this header field indicates the use of
/// an extension that was not present in the client's handshake […], the client MUST _Fail the WebSocket Connection_."
const EXTENSIONS_NOT_ASKED_FOR: Deviation = Deviation {
    cases: &[
        "N.6.1", "N.6.2", "N.6.3", "N.6.4", "N.6.5", "N.6.6", "N.6.7", "N.6.8", "N.6.9", "N.6.10", "N.6.11",
        "N.6.12", "N.6.13", "N.6.14", "N.6.15", "N.6.16", "N.6.17", "N.6.18", "N.6.19", "N.6.21",
    ],
    behavior: "fail",
    close: "wrong-side",
    reason: "does not look at the extensions of a response, and has asked for none (4.1)",
};

const TUNGSTENITE_CLIENT: &[Deviation] = &[
    NO_DEFLATE_CLIENT,
    dropped(DROPPED),
    dropped(&["7.3.6", "F.1", "F.2", "F.3", "F.4", "F.5", "F.12", "F.13", "F.14", "F.15", "U.5.6"]),
    dropped(DROPPED_OURS),
    LONG_FORM_OF_A_CLOSE,
    UTF8_BY_FRAME,
    LONG_FORMS,
    WAITS_FOR_A_LONG_CLOSE,
    NO_TLS,
    EXTENSIONS_NOT_ASKED_FOR,
    // RFC 6455 4.1: "a token that is an ASCII case-insensitive match for the value "Upgrade"".
    Deviation {
        cases: &["H.8.5"],
        behavior: "fail",
        close: "wrong-side",
        reason: "compares the whole of Connection, which is a list (4.1)",
    },
    // RFC 6455 11.3.3: "The |Sec-WebSocket-Accept| header MUST NOT appear more than once in an HTTP response."
    Deviation {
        cases: &["H.8.23"],
        behavior: "fail",
        close: "wrong-side",
        reason: "reads the first of two accepts, and does not see that the other is wrong (4.1)",
    },
    Deviation {
        cases: &["H.8.41"],
        behavior: "non-strict",
        close: "informational",
        reason: "takes two accepts (11.3.3)",
    },
];

/// RFC 6455 5.1: "The server MUST close the connection upon receiving a frame that is not masked."
const UNMASKED: &str = "takes unmasked frames from a client (5.1)";

/// RFC 6455 5.5: "All control frames MUST have a payload length of 125 bytes or less".
const LONG_CONTROL: &str = "takes control frames of more than 125 bytes (5.5)";

const FASTWEBSOCKETS: &[Deviation] = &[
    NO_DEFLATE,
    dropped(DROPPED),
    dropped(&["F.12", "F.13", "F.14", "F.15"]),
    dropped(DROPPED_OURS),
    LONG_FORM_OF_A_CLOSE,
    CUT_CHARACTER,
    UTF8_BY_FRAME,
    LONG_FORMS,
    WAITS_FOR_A_LONG_CLOSE,
    Deviation { cases: &["F.1", "F.2", "F.4"], behavior: "fail", close: "wrong-side", reason: UNMASKED },
    Deviation { cases: &["F.3"], behavior: "fail", close: "wrong-code", reason: UNMASKED },
    Deviation { cases: &["7.3.6"], behavior: "fail", close: "wrong-code", reason: LONG_CONTROL },
    Deviation { cases: &["F.5"], behavior: "fail", close: "wrong-side", reason: LONG_CONTROL },
    NO_TLS,
    NO_HOST,
    NOT_LOOKED_AT,
    KEY_NOT_LOOKED_AT,
    EXTENSIONS_NOT_LOOKED_AT,
    // `upgrade` looks at the key and the version; the rest it leaves to `is_upgrade_request`, which nobody has to call.
    Deviation {
        cases: &[
            "H.2.1", "H.2.2", "H.2.3", "H.2.4", "H.2.5", "H.2.9", "H.2.10", "H.2.11", "H.2.12", "H.2.13",
            "H.2.14", "H.2.15", "H.4.2", "H.4.3", "S.2.2", "S.2.3", "S.2.5",
        ],
        behavior: "fail",
        close: "wrong-side",
        reason: NO_HANDSHAKE,
    },
    Deviation { cases: &["H.2.6", "H.2.8"], behavior: "fail", close: "pass", reason: NO_HANDSHAKE },
];

/// RFC 6455 4.2.2: "and a |Sec-WebSocket-Version| header field indicating the version(s) the server is capable of
/// understanding."
const VERSIONS_NOT_TOLD: Deviation = Deviation {
    cases: &["H.5.1", "H.5.2", "H.5.3", "H.5.4", "H.5.5", "H.5.6", "H.5.7", "H.5.8"],
    behavior: "fail",
    close: "informational",
    reason: "refuses another version without a word on which it understands (4.2.2)",
};

/// Of frames it is strict in every case but one, and says nothing before it leaves.
const TOKIO_WEBSOCKETS: &[Deviation] = &[
    NO_DEFLATE,
    dropped(DROPPED),
    dropped(&["6.4.3", "6.4.4", "7.3.6"]),
    dropped(&["7.9.1", "7.9.2", "7.9.3", "7.9.4", "7.9.5", "7.9.6", "7.9.7", "7.9.8", "7.9.9"]),
    dropped(&["F.1", "F.2", "F.3", "F.4", "F.5", "F.6", "F.7", "F.8", "F.9", "F.10", "F.11"]),
    dropped(&[
        "F.12", "F.13", "F.14", "F.15", "C.4.13", "C.4.14", "C.6.1", "C.6.2", "C.6.3", "C.6.4", "C.6.5",
    ]),
    dropped(&["C.6.6", "C.6.7", "C.6.8"]),
    dropped(DROPPED_OURS),
    CUT_CHARACTER,
    NO_TLS,
    NO_HOST,
    NOT_LOOKED_AT,
    KEY_NOT_LOOKED_AT,
    UPGRADE_IS_NO_LIST,
    EXTENSIONS_NOT_LOOKED_AT,
    VERSIONS_NOT_TOLD,
    Deviation {
        cases: &["H.2.1", "H.2.2", "H.2.3", "H.2.4", "H.2.5", "H.2.6", "H.2.14", "H.4.2", "H.4.3", "S.2.5"],
        behavior: "fail",
        close: "wrong-side",
        reason: NO_HANDSHAKE,
    },
];
