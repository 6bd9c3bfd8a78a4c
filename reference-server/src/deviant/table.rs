//! The catalogue: each defect with its name, where it exists, the rule it breaks, and what it does.

use super::defect::{Area, Entry, Roles};

/// One table for all defects: area, variant, name, roles, rule, what it does, and a real one of its kind.
macro_rules! defects {
    ($($area:ident {
        $($variant:ident = $name:literal, $roles:ident, $rule:literal, $does:literal $(, $known:literal)?;)*
    })*) => {
        /// One deviation from the RFCs at one point of decision. All else stays as strict as it is without.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Defect {
            $($(#[doc = concat!("An endpoint that ", $does, ".")] $variant,)*)*
        }

        impl Defect {
            /// Every defect, in the order of the areas.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];
        }

        /// In the order of [`Defect::ALL`].
        pub(super) const TABLE: &[Entry] = &[$($(
            Entry {
                area: Area::$area,
                name: $name,
                roles: Roles::$roles,
                rule: $rule,
                does: $does,
                known: known!($($known)?),
            },
        )*)*];
    };
}

macro_rules! known {
    () => {
        None
    };
    ($known:literal) => {
        Some($known)
    };
}

defects! {
    Opening {
        TakesAnyMethod = "takes-any-method", Server, "rfc6455-4.2.1-get-http-1.1", "accepts a request whose method is not GET";
        TakesHttp10 = "takes-http-1.0", Both, "rfc6455-4.2.1-get-http-1.1", "accepts an opening handshake in HTTP/1.0";
        TakesBadTarget = "takes-bad-target", Server, "rfc6455-4.2.1-get-http-1.1", "accepts a request target that is neither a path nor an http URI";
        TakesNoHost = "takes-no-host", Server, "rfc6455-4.2.1-host", "accepts a request without Host";
        TakesTwoHosts = "takes-two-hosts", Server, "rfc6455-4.2.1-host", "accepts a request with two Host fields";
        TakesBadHost = "takes-bad-host", Server, "rfc6455-4.2.1-host", "accepts a request whose Host is no host", "CVE-2026-61666";
        TakesNoUpgrade = "takes-no-upgrade", Both, "rfc6455-4.2.1-upgrade", "accepts an opening handshake without Upgrade";
        TakesOtherUpgrade = "takes-other-upgrade", Both, "rfc6455-4.2.1-upgrade", "accepts an Upgrade to something else";
        TakesNoConnection = "takes-no-connection", Both, "rfc6455-4.2.1-connection", "accepts a Connection field that does not say Upgrade, or none";
        ComparesConnectionWhole = "compares-connection-whole", Both, "rfc6455-4.2.1-connection", "refuses `Connection: keep-alive, Upgrade`, because it compares the field as a whole";
        ComparesConnectionCase = "compares-connection-case", Both, "rfc6455-4.2.1-connection", "refuses `Connection: upgrade`, because it minds the case";
        ComparesUpgradeCase = "compares-upgrade-case", Both, "rfc6455-4.2.1-upgrade", "refuses `Upgrade: WebSocket`, because it minds the case";
        ComparesNamesCase = "compares-names-case", Both, "rfc6455-4.1-field-names-any-case", "refuses header names that are not written as in the RFC";
        TakesNoKey = "takes-no-key", Server, "rfc6455-4.2.1-key-16-bytes", "accepts a request without a key";
        TakesShortKey = "takes-short-key", Server, "rfc6455-4.2.1-key-16-bytes", "accepts a key of fewer than 16 bytes", "Theldus/wsServer#119";
        TakesLongKey = "takes-long-key", Server, "rfc6455-4.2.1-key-16-bytes", "accepts a key of more than 16 bytes", "Theldus/wsServer#119";
        TakesKeyNoBase64 = "takes-key-no-base64", Server, "rfc6455-4.2.1-key-16-bytes", "accepts a key that is not base64";
        TakesTwoKeys = "takes-two-keys", Server, "rfc6455-11.3.1-key-once", "accepts a request with two keys";
        TakesNoVersion = "takes-no-version", Server, "rfc6455-4.2.1-version-13", "accepts a request without a version";
        TakesEarlierVersion = "takes-earlier-version", Server, "rfc6455-4.2.1-version-13", "accepts any version below 13";
        TakesLaterVersion = "takes-later-version", Server, "rfc6455-4.2.1-version-13", "accepts any version above 13", "websocket-smuggle";
        TakesVersionList = "takes-version-list", Server, "rfc6455-4.2.1-version-13", "accepts a list of versions that has 13 in it";
        TakesTwoVersions = "takes-two-versions", Server, "rfc6455-11.3.5-version-once", "accepts a request with two version fields";
        TakesVersionNoNumber = "takes-version-no-number", Server, "rfc6455-4.2.1-version-13", "accepts a version that is not a number written plainly";
        RefusesVersionMute = "refuses-version-mute", Server, "rfc6455-4.2.2-version-mismatch", "refuses a version without saying which it speaks";
        RefusesWith200 = "refuses-with-200", Server, "rfc6455-4.2.1-refuse-handshake", "refuses a request with status 200";
        RefusesAndOpens = "refuses-and-opens", Server, "rfc6455-4.2.1-refuse-handshake", "takes frames behind a request that it has refused";
        AcceptWithoutGuid = "accept-without-guid", Server, "rfc6455-4.2.2-accept", "computes the accept value without the GUID";
        AcceptGuidLowerCase = "accept-guid-lower-case", Server, "rfc6455-4.2.2-accept", "computes the accept value with the GUID in lower case";
        AcceptOfDecodedKey = "accept-of-decoded-key", Server, "rfc6455-4.2.2-accept", "computes the accept value from the decoded key";
        AcceptLowerCase = "accept-lower-case", Server, "rfc6455-4.2.2-accept", "sends the accept value in lower case";
        AcceptConstant = "accept-constant", Server, "rfc6455-4.2.2-accept", "sends the accept value of the RFC's example, whatever the key";
        AcceptUnpadded = "accept-unpadded", Server, "rfc6455-4.2.2-accept", "leaves out the padding of the accept value";
        AcceptMissing = "accept-missing", Server, "rfc6455-4.2.2-accept", "sends no accept value";
        AcceptTwice = "accept-twice", Server, "rfc6455-11.3.3-accept-once", "sends the accept value twice";
        AcceptIsKey = "accept-is-key", Server, "rfc6455-4.2.2-accept", "sends the key back as the accept value";
        ResponseWithoutUpgrade = "response-without-upgrade", Server, "rfc6455-4.2.2-upgrade", "leaves out Upgrade in its response";
        ResponseWithOtherUpgrade = "response-with-other-upgrade", Server, "rfc6455-4.2.2-upgrade", "says `Upgrade: WebSockets` in its response";
        ResponseWithoutConnection = "response-without-connection", Server, "rfc6455-4.2.2-connection", "leaves out Connection in its response";
        ResponseWithKeepAlive = "response-with-keep-alive", Server, "rfc6455-4.2.2-connection", "says `Connection: keep-alive` in its response";
        ResponseStatus200 = "response-status-200", Server, "rfc6455-4.2.2-status-101", "opens with status 200", "CVE-2024-23326";
        ResponseStatus100 = "response-status-100", Server, "rfc6455-4.2.2-status-101", "opens with status 100";
        ResponseHttp10 = "response-http-1.0", Server, "rfc6455-4.2.2-status-101", "opens with HTTP/1.0";
        ResponseBareLf = "response-bare-lf", Server, "rfc6455-4.2.2-status-101", "ends the lines of its response by a line feed alone";
        ResponseFramesFirst = "response-frames-first", Server, "rfc6455-4.2.2-status-101", "sends a frame before its response";
        SubprotocolUnasked = "subprotocol-unasked", Server, "rfc6455-4.2.2-subprotocol-null", "chooses a subprotocol where none was offered";
        SubprotocolNotOffered = "subprotocol-not-offered", Server, "rfc6455-4.2.2-subprotocol-from-request", "chooses a subprotocol that is not among those offered", "oven-sh/bun#32825";
        SubprotocolList = "subprotocol-list", Server, "rfc6455-11.3.4-subprotocol-once", "sends back all the subprotocols offered";
        SubprotocolUpperCase = "subprotocol-upper-case", Server, "rfc6455-4.2.2-subprotocol-from-request", "sends a subprotocol back in upper case";
        SubprotocolTwice = "subprotocol-twice", Server, "rfc6455-11.3.4-subprotocol-once", "sends the subprotocol in two fields";
        TakesSpaceBeforeColon = "takes-space-before-colon", Server, "rfc6455-4.1-valid-http", "accepts a space between a header's name and its colon";
        TakesNulInHead = "takes-nul-in-head", Server, "rfc6455-4.1-valid-http", "accepts a NUL in the value of a header";
        TakesLineWithoutColon = "takes-line-without-colon", Server, "rfc6455-4.2.1-refuse-handshake", "passes over header lines that are none";
        RefusesHeadInPieces = "refuses-head-in-pieces", Both, "rfc6455-4.1-valid-http", "takes the first read for the whole head";
        DropsFramesBehindHead = "drops-frames-behind-head", Client, "rfc6455-5.1-data-any-time", "loses the frames that came in one read with the head";
        TakesBadSubprotocols = "takes-bad-subprotocols", Server, "rfc6455-4.2.1-subprotocols", "passes over a subprotocol list that is none", "CVE-2026-45541";
        RefusesOtherFields = "refuses-other-fields", Server, "rfc6455-4.2.1-unknown-fields-ignored", "refuses a request with Cookie or Authorization";
        IgnoresAccept = "ignores-accept", Client, "rfc6455-4.1-response-accept", "does not look at the accept value", "eclipse/paho.mqtt.java#295";
        ComparesAcceptWithoutCase = "compares-accept-without-case", Client, "rfc6455-4.1-response-accept", "compares the accept value without minding the case";
        ComparesAcceptPrefix = "compares-accept-prefix", Client, "rfc6455-4.1-response-accept", "compares the beginning of the accept value";
        TakesNoAccept = "takes-no-accept", Client, "rfc6455-4.1-response-accept", "accepts a response without an accept value";
        TakesTwoAccepts = "takes-two-accepts", Client, "rfc6455-11.3.3-accept-once", "accepts a response with two accept values";
        TakesStatus200 = "takes-status-200", Client, "rfc6455-4.1-status-not-101", "takes status 200 for 101", "CVE-2024-23326";
        TakesOtherStatus = "takes-other-status", Client, "rfc6455-4.1-status-not-101", "takes any other status for 101", "CVE-2024-23326";
        TakesUnofferedSubprotocol = "takes-unoffered-subprotocol", Client, "rfc6455-4.1-response-subprotocol", "accepts a subprotocol that it did not offer", "oven-sh/bun#32825";
        TakesTwoSubprotocols = "takes-two-subprotocols", Client, "rfc6455-11.3.4-subprotocol-once", "accepts a response with two subprotocols";
        SendsFixedKey = "sends-fixed-key", Client, "rfc6455-4.1-key-fresh", "sends the key of the RFC's example on every connection";
        SendsShortKey = "sends-short-key", Client, "rfc6455-4.1-key-nonce", "sends a key of 8 bytes";
        SendsKeyNoBase64 = "sends-key-no-base64", Client, "rfc6455-4.1-key", "sends a key that is not base64";
        SendsNoKey = "sends-no-key", Client, "rfc6455-4.1-key", "sends no key";
        SendsKeyTwice = "sends-key-twice", Client, "rfc6455-11.3.1-key-once", "sends its key in two fields";
        SendsNoHost = "sends-no-host", Client, "rfc6455-4.1-host", "sends no Host";
        SendsNoUpgrade = "sends-no-upgrade", Client, "rfc6455-4.1-upgrade", "sends no Upgrade";
        SendsNoConnection = "sends-no-connection", Client, "rfc6455-4.1-connection", "sends no Connection";
        SendsNoVersion = "sends-no-version", Client, "rfc6455-4.1-version", "sends no version";
        SendsVersion8 = "sends-version-8", Client, "rfc6455-4.1-version-13", "sends version 8";
        SendsLowerCaseMethod = "sends-lower-case-method", Client, "rfc6455-4.1-method-get", "asks by `get` instead of GET";
        SendsPost = "sends-post", Client, "rfc6455-4.1-method-get", "asks by POST";
        SendsHttp10 = "sends-http-1.0", Client, "rfc6455-4.1-http-version", "asks in HTTP/1.0";
        SendsBareLf = "sends-bare-lf", Client, "rfc6455-4.1-valid-http", "ends the lines of its request by a line feed alone";
        SendsBadSubprotocol = "sends-bad-subprotocol", Client, "rfc6455-4.1-subprotocol-characters", "offers a subprotocol with a space in its name";
        SpeaksBeforeOpen = "speaks-before-open", Client, "rfc6455-4.1-wait-for-response", "sends a frame before the response is there";
        GoesOnAfterRefusal = "goes-on-after-refusal", Client, "rfc6455-4.1-status-not-101", "sends a frame although it was refused";
    }
    Negotiation {
        TakesUnknownParameter = "takes-unknown-parameter", Both, "rfc7692-7-decline-unknown-parameter", "passes over a parameter of permessage-deflate that is not defined", "oven-sh/bun#41629";
        TakesParameterTwice = "takes-parameter-twice", Both, "rfc7692-7-decline-same-name", "accepts a parameter of permessage-deflate that occurs twice", "oven-sh/bun#41629";
        TakesWindowOutOfRange = "takes-window-out-of-range", Both, "rfc7692-7-decline-invalid-value", "accepts a window of fewer than 8 or more than 15 bits", "CVE-2026-2229 (undici)";
        TakesWindowWithZero = "takes-window-with-zero", Both, "rfc7692-7-decline-invalid-value", "accepts a window with a leading zero";
        TakesWindowWithoutValue = "takes-window-without-value", Both, "rfc7692-7-decline-invalid-value", "accepts a window that has to have a value and has none";
        TakesContextWithValue = "takes-context-with-value", Both, "rfc7692-7-decline-invalid-value", "accepts a value for a parameter that has none";
        Answers9For8 = "answers-9-for-8", Server, "rfc7692-7.1.2.1-accept", "agrees to a window of 9 bits where 8 were asked for", "oven-sh/bun#41629";
        AnswersLargerWindow = "answers-larger-window", Server, "rfc7692-7.1.2.1-accept", "agrees to a window of 15 bits where fewer were asked for";
        OmitsWindow = "omits-window", Server, "rfc7692-7.1.2.1-accept", "agrees to an offer without the window that it asks for";
        OmitsContext = "omits-context", Server, "rfc7692-7.1.1.1-accept", "agrees to an offer without server_no_context_takeover, which it asks for";
        AnswersClientWindowUnasked = "answers-client-window-unasked", Server, "rfc7692-7.1.2.2-limit", "limits the window of a client that did not say it can";
        AnswersClientWindowBare = "answers-client-window-bare", Server, "rfc7692-7.1.2.2-response-value", "answers client_max_window_bits without a value";
        AnswersWindowOutOfRange = "answers-window-out-of-range", Server, "rfc7692-7.1.2.1-response-value", "answers with a window of 16 bits";
        AnswersUnknownParameter = "answers-unknown-parameter", Server, "rfc7692-7-fail-unknown-parameter", "answers with a parameter that is not defined";
        AnswersParameterTwice = "answers-parameter-twice", Server, "rfc7692-7-fail-same-name", "answers with a parameter twice";
        AnswersContextWithValue = "answers-context-with-value", Server, "rfc7692-7.1.1.2-response-no-value", "answers with a value for a parameter that has none";
        AnswersTwoOffers = "answers-two-offers", Server, "rfc7692-5-agreed-parameters", "agrees to permessage-deflate twice";
        AgreesUnasked = "agrees-unasked", Server, "rfc6455-4.2.2-extensions-from-request", "agrees to permessage-deflate where it was not offered";
        AgreesToUnofferedExtension = "agrees-to-unoffered-extension", Server, "rfc6455-4.2.2-extensions-from-request", "names an extension that was not offered", "oven-sh/bun#32825";
        RefusesUnknownExtension = "refuses-unknown-extension", Server, "rfc6455-9-accept-some", "refuses a request that offers an extension it does not know";
        RefusesQuotedValue = "refuses-quoted-value", Both, "rfc7692-5.2-quoted-value", "refuses a parameter with its value in quotes";
        ReadsFirstExtensionsFieldOnly = "reads-first-extensions-field-only", Client, "rfc6455-11.3.2-extensions-several", "reads only the first Sec-WebSocket-Extensions field";
        TakesBadExtensions = "takes-bad-extensions", Both, "rfc6455-9.1-malformed-extensions", "passes over an extension list that is none";
        RefusesWindow8 = "refuses-window-8", Server, "rfc7692-7.1.2.1-accept", "fails the handshake where a window of 8 bits is offered", "faye/permessage-deflate";
        TakesUnofferedExtension = "takes-unoffered-extension", Client, "rfc6455-4.1-response-extension", "accepts an extension that it did not offer", "oven-sh/bun#32825";
        TakesDeflateTwice = "takes-deflate-twice", Client, "rfc7692-5-agreed-parameters", "accepts permessage-deflate twice in one response";
    }
    Framing {
        TakesOpcode3 = "takes-opcode-3", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 3";
        TakesOpcode4 = "takes-opcode-4", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 4";
        TakesOpcode5 = "takes-opcode-5", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 5";
        TakesOpcode6 = "takes-opcode-6", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 6";
        TakesOpcode7 = "takes-opcode-7", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 7";
        TakesOpcodeB = "takes-opcode-b", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 0xB";
        TakesOpcodeC = "takes-opcode-c", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 0xC";
        TakesOpcodeD = "takes-opcode-d", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 0xD";
        TakesOpcodeE = "takes-opcode-e", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 0xE";
        TakesOpcodeF = "takes-opcode-f", Both, "rfc6455-5.2-reserved-opcode", "passes over a frame with opcode 0xF";
        ClosesOpcodeWith1003 = "closes-opcode-with-1003", Both, "rfc6455-7.4.1-code-1002", "closes with 1003 at a reserved opcode";
        TakesRsv1 = "takes-rsv1", Both, "rfc6455-5.2-rsv1-not-negotiated", "takes RSV1 on a message where nothing was negotiated", "GHSA-mq44-7p77-q5h7 (aiohttp)";
        TakesRsv2 = "takes-rsv2", Both, "rfc6455-5.2-reserved-bits", "takes RSV2 on a message";
        TakesRsv3 = "takes-rsv3", Both, "rfc6455-5.2-reserved-bits", "takes RSV3 on a message";
        TakesSeveralRsv = "takes-several-rsv", Both, "rfc6455-5.2-reserved-bits", "takes more than one reserved bit on a message";
        TakesRsvOnPing = "takes-rsv-on-ping", Both, "rfc6455-5.2-reserved-bits", "takes reserved bits on a ping";
        TakesRsvOnClose = "takes-rsv-on-close", Both, "rfc6455-5.2-reserved-bits", "takes reserved bits on a Close";
        TakesRsvOnContinuation = "takes-rsv-on-continuation", Both, "rfc6455-5.2-reserved-bits", "takes reserved bits on a continuation";
        ClosesRsvWith1007 = "closes-rsv-with-1007", Both, "rfc6455-7.4.1-code-1002", "closes with 1007 at a reserved bit";
        TakesWrongMaskOnData = "takes-wrong-mask-on-data", Both, "rfc6455-5.1-server-fails-unmasked", "takes a message that is masked the wrong way", "facil.io#169";
        TakesWrongMaskOnPing = "takes-wrong-mask-on-ping", Both, "rfc6455-5.1-server-fails-unmasked", "takes a ping that is masked the wrong way", "Theldus/wsServer#120";
        TakesWrongMaskOnClose = "takes-wrong-mask-on-close", Both, "rfc6455-5.1-server-fails-unmasked", "takes a Close that is masked the wrong way";
        TakesWrongMaskOnContinuation = "takes-wrong-mask-on-continuation", Both, "rfc6455-5.1-server-fails-unmasked", "takes a continuation that is masked the wrong way";
        DeliversWrongMask = "delivers-wrong-mask", Both, "rfc6455-5.1-server-fails-unmasked", "delivers a message that is masked the wrong way before it fails the connection", "facil.io#169";
        MisreadsMaskedClose = "misreads-masked-close", Client, "rfc6455-5.1-client-fails-masked", "reads the key of a masked Close as its code", "oven-sh/bun#35526";
        Masks = "masks", Server, "rfc6455-5.1-server-does-not-mask", "masks what it sends";
        MasksClose = "masks-close", Server, "rfc6455-5.1-server-does-not-mask", "masks its Close";
        SendsUnmasked = "sends-unmasked", Client, "rfc6455-5.1-client-masks", "does not mask what it sends";
        SendsPongUnmasked = "sends-pong-unmasked", Client, "rfc6455-5.1-client-masks", "does not mask its pongs";
        SendsCloseUnmasked = "sends-close-unmasked", Client, "rfc6455-5.1-client-masks", "does not mask its Close";
        MasksWithZero = "masks-with-zero", Client, "rfc6455-5.3-strong-entropy", "masks with the key zero";
        MasksWithConstant = "masks-with-constant", Client, "rfc6455-5.3-fresh-key", "masks each frame with one key", "CVE-2025-10148 (curl)";
        MasksWithCounter = "masks-with-counter", Client, "rfc6455-5.3-key-unpredictable", "masks with a number that it counts up", "GHSA-w67g-5rqw-f597 (gorilla)";
        MasksWithOneByte = "masks-with-one-byte", Client, "rfc6455-5.3-strong-entropy", "masks with one random byte four times";
        MasksByTwos = "masks-by-twos", Client, "rfc6455-5.3-fresh-key", "uses each key twice";
        MasksWholeWordsOnly = "masks-whole-words-only", Client, "rfc6455-5.3-algorithm", "leaves the bytes behind the last multiple of four unmasked";
        UnmasksEachReadAnew = "unmasks-each-read-anew", Server, "rfc6455-5.3-algorithm", "begins with the first byte of the key at each read";
        Reads16BitsSigned = "reads-16-bits-signed", Both, "rfc6455-5.2-payload-length", "reads a length in 16 bits as a signed number";
        ReadsLow32Bits = "reads-low-32-bits", Both, "rfc6455-5.2-payload-length", "keeps the low 32 bits of a length in 64 bits", "CVE-2026-1528 (undici)";
        TakesTopBit = "takes-top-bit", Both, "rfc6455-5.2-length-top-bit", "passes over the top bit of a length", "CVE-2020-13935 (Tomcat)";
        WaitsForTopBit = "waits-for-top-bit", Both, "rfc6455-5.2-length-top-bit", "waits for a payload of more than 2^63 bytes", "CVE-2020-27813 (gorilla)";
        Misreads125 = "misreads-125", Both, "rfc6455-5.2-payload-length", "reads a length of 125 as one more";
        Misreads126 = "misreads-126", Both, "rfc6455-5.2-payload-length", "reads a length of 126 as one less";
        Misreads127 = "misreads-127", Both, "rfc6455-5.2-payload-length", "reads a length of 127 as one more";
        Misreads65535 = "misreads-65535", Both, "rfc6455-5.2-payload-length", "reads a length of 65535 as one less";
        Misreads65536 = "misreads-65536", Both, "rfc6455-5.2-payload-length", "reads a length of 65536 as one less";
        TakesLongForm = "takes-long-form", Both, "rfc6455-5.2-minimal-length", "takes a message whose length is in too long a form", "CVE-2026-54466 (websocket-driver)";
        TakesLongFormOnPing = "takes-long-form-on-ping", Both, "rfc6455-5.2-minimal-length", "takes a ping whose length is in too long a form";
        Sends16BitsFor7 = "sends-16-bits-for-7", Both, "rfc6455-5.2-minimal-length", "sends lengths up to 125 in 16 bits";
        Sends16BitsFor125 = "sends-16-bits-for-125", Both, "rfc6455-5.2-minimal-length", "sends the length 125 in 16 bits";
        Sends64BitsFor16 = "sends-64-bits-for-16", Both, "rfc6455-5.2-minimal-length", "sends lengths from 126 in 64 bits";
        Sends64BitsFor65535 = "sends-64-bits-for-65535", Both, "rfc6455-5.2-minimal-length", "sends the length 65535 in 64 bits";
        TakesLongPing = "takes-long-ping", Both, "rfc6455-5.5-control-length", "takes a ping of more than 125 bytes";
        TakesLongPong = "takes-long-pong", Both, "rfc6455-5.5-control-length", "takes a pong of more than 125 bytes";
        TakesLongClose = "takes-long-close", Both, "rfc6455-5.5-control-length", "takes a Close of more than 125 bytes";
        TakesFragmentedPing = "takes-fragmented-ping", Both, "rfc6455-5.5-control-fragmented", "takes a ping without FIN";
        TakesFragmentedPong = "takes-fragmented-pong", Both, "rfc6455-5.5-control-fragmented", "takes a pong without FIN";
        TakesFragmentedClose = "takes-fragmented-close", Both, "rfc6455-5.5-control-fragmented", "takes a Close without FIN";
        TakesLastContinuationAlone = "takes-last-continuation-alone", Both, "rfc6455-5.4-continuation-without-start", "passes over a last continuation that continues nothing";
        TakesContinuationAlone = "takes-continuation-alone", Both, "rfc6455-5.4-continuation-without-start", "passes over a continuation that continues nothing and is not the last";
        TakesTextInside = "takes-text-inside", Both, "rfc6455-5.4-interleaved-message", "begins a new message at a text frame inside of one", "dusty#173";
        TakesBinaryInside = "takes-binary-inside", Both, "rfc6455-5.4-interleaved-message", "begins a new message at a binary frame inside of one", "dusty#173";
        JoinsTextInside = "joins-text-inside", Both, "rfc6455-5.4-interleaved-message", "takes a text frame inside of a message for a continuation";
        LosesPingInside = "loses-ping-inside", Both, "rfc6455-5.4-control-between-fragments", "answers no ping inside of a message";
        PingInsideBreaks = "ping-inside-breaks", Both, "rfc6455-5.4-control-between-fragments", "loses the message that a ping came inside of";
        PongInsideBreaks = "pong-inside-breaks", Both, "rfc6455-5.4-control-between-fragments", "loses the message that a pong came inside of";
        PingInsideJoins = "ping-inside-joins", Both, "rfc6455-5.4-control-between-fragments", "joins the body of a ping to the message that it came inside of";
        AnswersPingInsideLate = "answers-ping-inside-late", Both, "rfc6455-5.5.2-pong-soon", "answers a ping inside of a message when the message is over";
        FailsPingInside = "fails-ping-inside", Both, "rfc6455-5.4-control-between-fragments", "fails the connection at a ping inside of a message";
        NoPong = "no-pong", Both, "rfc6455-5.5.2-pong-answers-ping", "answers no ping";
        NoPongToEmpty = "no-pong-to-empty", Both, "rfc6455-5.5.2-pong-answers-ping", "answers no ping without a body";
        FirstPongOnly = "first-pong-only", Both, "rfc6455-5.5.3-latest-ping", "answers only the first ping of those that come together";
        PongEmpty = "pong-empty", Both, "rfc6455-5.5.3-same-data", "answers with empty pongs";
        PongOther = "pong-other", Both, "rfc6455-5.5.3-same-data", "answers pings with a body of its own";
        PongCut = "pong-cut", Both, "rfc6455-5.5.3-same-data", "cuts the body of a pong at 124 bytes", "Theldus/wsServer#120";
        PongAsText = "pong-as-text", Both, "rfc6455-5.5.3-same-data", "takes the body of a ping for text and mends it";
        PongUntilNul = "pong-until-nul", Both, "rfc6455-5.5.3-same-data", "ends the body of a pong at the first NUL";
        PingForPing = "ping-for-ping", Both, "rfc6455-5.5.2-pong-answers-ping", "answers a ping with a ping";
        PongFragmented = "pong-fragmented", Both, "rfc6455-5.5-control-fragmented", "sends pongs without FIN";
        PongWithRsv = "pong-with-rsv", Both, "rfc6455-5.2-reserved-bits", "sends pongs with RSV3";
        PongLong = "pong-long", Both, "rfc6455-5.5-control-length", "fills its pongs up to 126 bytes";
        PongForPong = "pong-for-pong", Both, "rfc6455-5.5.3-unsolicited-pong", "answers a pong with a pong";
        ClosesAtPong = "closes-at-pong", Both, "rfc6455-5.5.3-unsolicited-pong", "fails the connection at a pong that it did not ask for";
        RefusesEmptyContinuation = "refuses-empty-continuation", Both, "rfc6455-5.4-any-fragment-size", "fails the connection at an empty continuation";
        RefusesHeaderInPieces = "refuses-header-in-pieces", Both, "rfc6455-5.4-frame-boundaries", "fails the connection at a header that does not come in one read";
        LosesRestOfRead = "loses-rest-of-read", Both, "rfc6455-5.4-frame-boundaries", "takes one frame out of each read and loses the others";
        EchoWithReservedOpcode = "echo-with-reserved-opcode", Both, "rfc6455-5.2-reserved-opcode", "sends messages with opcode 3";
        EchoWithRsv3 = "echo-with-rsv3", Both, "rfc6455-5.2-reserved-bits", "sends messages with RSV3";
        EchoWithRsv1 = "echo-with-rsv1", Both, "rfc6455-5.2-rsv1-not-negotiated", "sends messages with RSV1 where nothing was negotiated";
        EchoAsContinuation = "echo-as-continuation", Both, "rfc6455-5.4-continuation-without-start", "sends messages as continuations of nothing";
        EchoSplitInvalid = "echo-split-invalid", Both, "rfc6455-5.4-interleaved-message", "sends the second fragment of a message with the opcode of the first";
        EchoNeverEnds = "echo-never-ends", Both, "rfc6455-5.4-continuation-without-start", "does not set FIN on the last fragment of a message";
        EchoLengthTooLong = "echo-length-too-long", Both, "rfc6455-5.2-payload-length", "says one byte more than it sends in a message";
    }
    Messages {
        TextAsBinary = "text-as-binary", Both, "rfc6455-6.2-message-received", "sends text back as binary";
        BinaryAsText = "binary-as-text", Both, "rfc6455-6.2-message-received", "sends binary back as text";
        LosesEmptyText = "loses-empty-text", Both, "rfc6455-6.2-message-received", "loses empty text";
        LosesEmptyBinary = "loses-empty-binary", Both, "rfc6455-6.2-message-received", "loses empty binary messages";
        Cuts125 = "cuts-125", Both, "rfc6455-6.2-message-received", "loses the last byte of a message of 125 bytes";
        Cuts126 = "cuts-126", Both, "rfc6455-6.2-message-received", "loses the last byte of a message of 126 bytes";
        Cuts65535 = "cuts-65535", Both, "rfc6455-6.2-message-received", "loses the last byte of a message of 65535 bytes";
        Cuts65536 = "cuts-65536", Both, "rfc6455-6.2-message-received", "loses the last byte of a message of 65536 bytes";
        CutsLarge = "cuts-large", Both, "rfc6455-6.2-message-received", "cuts messages at 1 MiB";
        LosesSecondMessage = "loses-second-message", Both, "rfc6455-6.2-new-message", "loses the second message";
        EchoesTwice = "echoes-twice", Both, "rfc6455-6.2-message-received", "delivers each message twice";
        EchoesLate = "echoes-late", Both, "rfc6455-6.2-message-received", "delivers each message when the next one comes";
        CorruptsFirstByte = "corrupts-first-byte", Both, "rfc6455-6.2-message-received", "changes the first byte of a binary message";
        SevenBits = "seven-bits", Both, "rfc6455-5.6-binary", "keeps seven bits of each byte of binary data";
        EndsAtNul = "ends-at-nul", Both, "rfc6455-5.6-binary", "ends binary data at the first NUL";
        TrimsText = "trims-text", Both, "rfc6455-5.6-text", "takes white space from the ends of text";
        ReversesFragments = "reverses-fragments", Both, "rfc6455-5.4-concatenation", "joins fragments in reverse";
        LosesFirstFragment = "loses-first-fragment", Both, "rfc6455-5.4-concatenation", "loses the first fragment of a message";
        LosesLastFragment = "loses-last-fragment", Both, "rfc6455-5.4-concatenation", "loses the last fragment of a message";
        LosesThirdFragment = "loses-third-fragment", Both, "rfc6455-5.4-support-fragments", "loses all fragments of a message but the first two";
        DeliversFragments = "delivers-fragments", Both, "rfc6455-5.4-concatenation", "delivers each fragment as a message";
        ForgetsKindOfFragments = "forgets-kind-of-fragments", Both, "rfc6455-6.2-message-received", "delivers fragmented text as binary";
        KeepsOldMessage = "keeps-old-message", Both, "rfc6455-6.2-new-message", "begins a fragmented message with what the one before had";
        RefusesManyFragments = "refuses-many-fragments", Both, "rfc6455-5.4-support-fragments", "fails the connection at the tenth fragment of a message";
    }
    Utf8 {
        TextUnchecked = "text-unchecked", Both, "rfc6455-5.6-text-utf8", "does not look whether text is UTF-8";
        TextCheckedPerFrame = "text-checked-per-frame", Both, "rfc6455-5.6-text-utf8", "wants each frame of a text to be UTF-8 by itself";
        TextCheckedPerRead = "text-checked-per-read", Both, "rfc6455-5.6-text-utf8", "wants what it reads of a text at once to be UTF-8 by itself";
        FirstFrameCheckedOnly = "first-frame-checked-only", Both, "rfc6455-5.6-text-utf8", "checks the first frame of a text only";
        TakesSurrogates = "takes-surrogates", Both, "rfc6455-5.6-text-utf8", "takes surrogates for characters";
        TakesOverlong = "takes-overlong", Both, "rfc6455-5.6-text-utf8", "takes characters in more bytes than they need";
        TakesAboveMax = "takes-above-max", Both, "rfc6455-5.6-text-utf8", "takes characters above U+10FFFF";
        TakesFiveBytes = "takes-five-bytes", Both, "rfc6455-5.6-text-utf8", "takes characters of five and six bytes";
        TakesLoneContinuation = "takes-lone-continuation", Both, "rfc6455-5.6-text-utf8", "takes continuation bytes that continue nothing";
        TakesIncompleteEnd = "takes-incomplete-end", Both, "rfc6455-5.6-text-utf8", "takes text that ends inside of a character";
        TakesCutCharacter = "takes-cut-character", Both, "rfc6455-5.6-text-utf8", "takes characters that break off";
        RefusesNoncharacters = "refuses-noncharacters", Both, "rfc6455-5.6-text-utf8", "refuses U+FFFE and U+FFFF";
        RefusesFourBytes = "refuses-four-bytes", Both, "rfc6455-5.6-text-utf8", "refuses characters of four bytes";
        RefusesTwoBytes = "refuses-two-bytes", Both, "rfc6455-5.6-text-utf8", "refuses characters of two bytes";
        StripsBom = "strips-bom", Both, "rfc6455-5.6-text", "takes a byte order mark from the beginning of text";
        RefusesNul = "refuses-nul", Both, "rfc6455-5.6-text", "refuses U+0000 in text";
        ReplacesInvalid = "replaces-invalid", Both, "rfc6455-8.1-fail-on-invalid-utf8", "puts U+FFFD for what is not UTF-8";
        ChecksTextLate = "checks-text-late", Both, "rfc6455-8.1-fail-on-invalid-utf8", "looks whether text is UTF-8 when all of it is there";
        ChecksBinary = "checks-binary", Both, "rfc6455-5.6-binary", "wants binary data to be UTF-8";
        ClosesUtf8With1002 = "closes-utf8-with-1002", Both, "rfc6455-7.4.1-code-1007", "closes with 1002 at text that is not UTF-8";
        ReasonUnchecked = "reason-unchecked", Both, "rfc6455-8.1-close-reason-utf8", "does not look whether the reason of a Close is UTF-8";
        InflatedTextUnchecked = "inflated-text-unchecked", Both, "rfc6455-5.6-text-utf8", "does not look whether text that was compressed is UTF-8";
    }
    Closing {
        CloseNotAnswered = "close-not-answered", Both, "rfc6455-5.5.1-answer-close", "ends TCP at a Close without answering it";
        CloseIgnored = "close-ignored", Both, "rfc6455-5.5.1-answer-close", "does nothing at a Close", "jetty#3671";
        CloseAnsweredWith1002 = "close-answered-with-1002", Both, "rfc6455-5.5.1-echo-code", "answers a lawful Close with 1002";
        CloseAnsweredWith1005 = "close-answered-with-1005", Both, "rfc6455-7.4.1-close-code-reserved", "answers a Close without a code with 1005", "dusty#173";
        CloseAnsweredWith1006 = "close-answered-with-1006", Both, "rfc6455-7.4.1-close-code-reserved", "answers every Close with 1006", "dusty#173";
        CloseAnsweredWith0 = "close-answered-with-0", Both, "rfc6455-7.4.2-close-code-unused", "answers a Close without a code with 0";
        CloseCodeSwapped = "close-code-swapped", Both, "rfc6455-5.5.1-close-body", "sends the bytes of the code in the wrong order";
        CloseAnsweredWithOneByte = "close-answered-with-one-byte", Both, "rfc6455-5.5.1-close-body-length", "answers a Close with one byte";
        ReasonCutInCharacter = "reason-cut-in-character", Both, "rfc6455-8.1-close-reason-utf8", "sends the reason of a Close back without its last byte";
        CloseAnswerLong = "close-answer-long", Both, "rfc6455-5.5-control-length", "answers a Close with 130 bytes";
        CloseFragmented = "close-fragmented", Both, "rfc6455-5.5-control-fragmented", "answers a Close without FIN";
        MessageAfterClose = "message-after-close", Both, "rfc6455-5.5.1-data-after-close", "sends a message after its Close";
        TakesOneByteClose = "takes-one-byte-close", Both, "rfc6455-5.5.1-close-body-length", "takes a Close of one byte", "dusty#173";
        TakesCode0 = "takes-code-0", Both, "rfc6455-7.4.2-close-code-unused", "takes the code 0";
        TakesCode999 = "takes-code-999", Both, "rfc6455-7.4.2-close-code-unused", "takes the code 999";
        TakesCode1004 = "takes-code-1004", Both, "rfc6455-7.4.1-close-code-reserved", "takes the code 1004";
        TakesCode1005 = "takes-code-1005", Both, "rfc6455-7.4.1-close-code-reserved", "takes the code 1005", "dusty#173";
        TakesCode1006 = "takes-code-1006", Both, "rfc6455-7.4.1-close-code-reserved", "takes the code 1006", "dusty#173";
        TakesCode1015 = "takes-code-1015", Both, "rfc6455-7.4.1-close-code-reserved", "takes the code 1015";
        TakesCode1016 = "takes-code-1016", Both, "rfc6455-7.4.2-close-code-unregistered", "takes the codes from 1016 to 1100";
        TakesCode2000 = "takes-code-2000", Both, "rfc6455-7.4.2-close-code-unregistered", "takes the codes from 1101 to 2998";
        TakesCode2999 = "takes-code-2999", Both, "rfc6455-7.4.2-close-code-unregistered", "takes the code 2999";
        TakesCode5000 = "takes-code-5000", Both, "rfc6455-5.5.1-close-code-defined", "takes the code 5000";
        TakesCode65535 = "takes-code-65535", Both, "rfc6455-5.5.1-close-code-defined", "takes the code 65535";
        ClosesBadCodeWith1000 = "closes-bad-code-with-1000", Both, "rfc6455-7.4.1-code-1002", "answers a code that must not be sent with 1000";
        RefusesCode1001 = "refuses-code-1001", Both, "rfc6455-7.4.1-defined-codes", "fails the connection at the code 1001";
        RefusesCode1011 = "refuses-code-1011", Both, "rfc6455-7.4.1-defined-codes", "fails the connection at the code 1011";
        RefusesCode3000 = "refuses-code-3000", Both, "rfc6455-7.4.2-library-codes", "fails the connection at the codes from 3000 to 3999";
        RefusesCode4999 = "refuses-code-4999", Both, "rfc6455-7.4.2-private-codes", "fails the connection at the codes from 4000 to 4999";
        RefusesReason123 = "refuses-reason-123", Both, "rfc6455-5.5.1-close-reason", "fails the connection at a reason of 123 bytes";
        RefusesReason = "refuses-reason", Both, "rfc6455-5.5.1-close-reason", "fails the connection at any reason";
        RefusesEmptyClose = "refuses-empty-close", Both, "rfc6455-5.5.1-close-body", "fails the connection at a Close without a code";
        DeliversAfterClose = "delivers-after-close", Both, "rfc6455-1.4-control-after-close", "delivers a message that came behind a Close";
        PongAfterClose = "pong-after-close", Both, "rfc6455-1.4-control-after-close", "answers a ping that came behind a Close";
        CloseInsideIgnored = "close-inside-ignored", Both, "rfc6455-5.4-control-between-fragments", "passes over a Close inside of a message";
        LeavesTcpOpen = "leaves-tcp-open", Server, "rfc6455-7.1.1-server-ends-tcp", "leaves TCP open behind the Close frames", "CVE-2024-23672 (Tomcat)";
        LeavesTcpOpenOnFailure = "leaves-tcp-open-on-failure", Server, "rfc6455-7.1.7-send-close", "leaves TCP open when it has failed the connection";
        DropsOnViolation = "drops-on-violation", Both, "rfc6455-7.1.7-send-close", "ends TCP without a Close when it fails the connection", "oven-sh/bun#35872";
        ResetsOnViolation = "resets-on-violation", Both, "rfc6455-7.1.7-send-close", "resets TCP when it fails the connection", "oven-sh/bun#35874";
        GoesOnAfterFailure = "goes-on-after-failure", Both, "rfc6455-7.1.7-process-no-more", "delivers what comes after it has failed the connection";
        FailsWith1000 = "fails-with-1000", Both, "rfc6455-7.4.1-code-1002", "closes with 1000 when it fails the connection";
    }
    Deflate {
        KeepsContext = "keeps-context", Both, "rfc7692-7.2.1-server-context", "refers to earlier messages although it agreed not to", "oven-sh/bun#41629";
        ExceedsWindow = "exceeds-window", Both, "rfc7692-7.2.1-server-window", "refers further back than the window it agreed to";
        NoRsv1 = "no-rsv1", Both, "rfc7692-6.1-deflate-data", "does not set RSV1 on what it compressed";
        Rsv1OnEachFragment = "rsv1-on-each-fragment", Both, "rfc7692-6.1-rsv1-on-continuation", "sets RSV1 on each fragment of what it compressed";
        Rsv1OnPong = "rsv1-on-pong", Both, "rfc7692-6.1-rsv1-on-control", "sets RSV1 on pongs";
        Rsv1OnClose = "rsv1-on-close", Both, "rfc7692-6.1-rsv1-on-control", "sets RSV1 on its Close";
        Rsv1Uncompressed = "rsv1-uncompressed", Both, "rfc7692-6.1-deflate-data", "sets RSV1 on messages that it did not compress";
        CompressesPong = "compresses-pong", Both, "rfc7692-6.1-rsv1-on-control", "compresses the body of a pong";
        CutsCompressed = "cuts-compressed", Both, "rfc7692-6.1-deflate-data", "loses the last byte of what it compressed";
        CutsIncompressible = "cuts-incompressible", Both, "rfc7692-6.1-deflate-data", "cuts what became longer by compression at its length before";
        KeepsPartOfTail = "keeps-part-of-tail", Both, "rfc7692-7.2.1-remove-tail", "removes only three of the four bytes at the tail";
        SharesCompressor = "shares-compressor", Both, "rfc7692-6.1-deflate-data", "refers to messages that another connection had";
        TakesRsv1OnContinuation = "takes-rsv1-on-continuation", Both, "rfc7692-6.1-rsv1-on-continuation", "takes RSV1 on a continuation", "oven-sh/bun#33001";
        TakesRsv1OnPing = "takes-rsv1-on-ping", Both, "rfc7692-6.1-rsv1-on-control", "takes RSV1 on a ping", "tornado#1497";
        TakesRsv1OnPong = "takes-rsv1-on-pong", Both, "rfc7692-6.1-rsv1-on-control", "takes RSV1 on a pong", "swoole#6209";
        TakesRsv1OnClose = "takes-rsv1-on-close", Both, "rfc7692-6.1-rsv1-on-control", "takes RSV1 on a Close", "oven-sh/bun#33395";
        InflatesPing = "inflates-ping", Both, "rfc7692-6.1-rsv1-on-control", "inflates the body of a ping inside of a compressed message";
        PingBreaksCompressed = "ping-breaks-compressed", Both, "rfc6455-5.4-control-between-fragments", "loses a compressed message that a ping came inside of";
        InflatesPlain = "inflates-plain", Both, "rfc7692-6.2-decompress", "inflates messages that have no RSV1";
        RefusesPlain = "refuses-plain", Both, "rfc7692-6.2-decompress", "fails the connection at a message without RSV1";
        PassesCompressed = "passes-compressed", Both, "rfc7692-6.2-decompress", "delivers compressed messages as they came";
        ResetsContext = "resets-context", Both, "rfc7692-7.2.2-client-context", "begins each message with an empty window where the peer may refer to earlier ones";
        PlainResetsContext = "plain-resets-context", Both, "rfc7692-7.2.2-client-context", "forgets the window at a message that is not compressed";
        SmallWindow = "small-window", Both, "rfc7692-7.2.2-client-full-window", "has a window of 2^9 bytes, whatever was agreed", "cowlib#118";
        TailNotAppended = "tail-not-appended", Both, "rfc7692-7.2.2-algorithm", "does not append the four bytes before it inflates";
        TailOnEachFrame = "tail-on-each-frame", Both, "rfc7692-7.2.2-algorithm", "appends the four bytes to each fragment", "dotnet/runtime#52551";
        RefusesStored = "refuses-stored", Both, "rfc7692-7.2.1-any-block-type", "fails the connection at a message that begins with a block without compression";
        RefusesFixed = "refuses-fixed", Both, "rfc7692-7.2.1-any-block-type", "fails the connection at a message that begins with a block of fixed codes";
        RefusesDynamic = "refuses-dynamic", Both, "rfc7692-7.2.1-any-block-type", "fails the connection at a message that begins with a block of codes of its own";
        RefusesBfinal = "refuses-bfinal", Both, "rfc7692-7.2.1-final-blocks", "fails the connection at a message that begins with a block that has BFINAL set";
        EndsAtFlush = "ends-at-flush", Both, "rfc7692-7.2.1-several-blocks", "takes four bytes 00 00 ff ff inside of a message for its end";
        RefusesOneByteEnd = "refuses-one-byte-end", Both, "rfc7692-6.2-decompress", "loses a message whose last fragment is one zero byte", "autobahn-testsuite#59";
        LosesEmptyCompressed = "loses-empty-compressed", Both, "rfc7692-6.2-decompress", "loses a message that is compressed and empty";
        TakesCorrupt = "takes-corrupt", Both, "rfc7692-6.2-decompress", "delivers what it could inflate of a message that is damaged";
        ClosesCorruptWith1000 = "closes-corrupt-with-1000", Both, "rfc7692-6.2-decompress", "closes with 1000 at a message that cannot be inflated";
    }
    Resilience {
        AllocatesDeclared = "allocates-declared", Server, "rfc6455-10.4-limits", "reserves as much memory as a header says", "CVE-2022-35922 (rust-websocket)";
        NoFragmentLimit = "no-fragment-limit", Server, "rfc6455-10.4-limits", "takes fragments without end, and gives back none of the buffers that it reads them into", "CVE-2026-12151 (undici)";
        NoInflateLimit = "no-inflate-limit", Server, "rfc6455-10.4-limits", "limits messages before they are inflated, and after only by 512 MiB", "CVE-2018-1000518 (websockets)";
        OneRequestAtATime = "one-request-at-a-time", Server, "rfc6455-10.4-limits", "reads one request after the other";
        QuadraticHead = "quadratic-head", Server, "rfc6455-10.4-limits", "reads a head from its beginning again and again as it comes", "CVE-2023-43669 (tungstenite)";
        LeaksOnPong = "leaks-on-pong", Server, "rfc6455-10.4-limits", "keeps every pong for ever", "CVE-2021-3690 (Undertow)";
        SpinsAfterHalfClose = "spins-after-half-close", Server, "rfc6455-10.4-limits", "looks without pause whether more comes after the peer has ended its side", "CVE-2025-5399 (curl)";
        LeaksSocket = "leaks-socket", Server, "rfc6455-10.4-limits", "never closes a socket that was reset";
        CrashesOnLength = "crashes-on-length", Server, "rfc6455-5.2-length-top-bit", "ends its process at a length of 2^62 and more", "CVE-2026-27889 (nats-server)";
    }
}
