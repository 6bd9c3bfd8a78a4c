//! What is done with frames, once the connection is open.

use wsgrade_codec::check::Negotiated;
use wsgrade_codec::deflate::{Decompressor, Params};
use wsgrade_codec::wire::{Header, Opcode, Piece, Rsv};
use wsgrade_codec::{Kind, Role};

use super::assembly::{Assembly, Delivered};
use super::defect::Nature;
use super::frames::Frames;
use super::law::{Control, Failure, Law};
use super::resilience;
use super::speak::{Output, Speaker};
use super::table::Defect;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Talking,
    /// The peer's Close is in, and ours is out.
    Closed,
    /// We failed the connection.
    Failed,
}

/// One connection behind its opening handshake.
#[derive(Debug)]
pub(super) struct Conversation {
    role: Role,
    frames: Frames,
    law: Law,
    assembly: Assembly,
    /// The frame that is coming, and whether it is passed over.
    frame: Option<(Header, bool)>,
    stage: Stage,
    /// What to do about TCP, when all that came was taken.
    ending: Option<Output>,
    ended: bool,
    /// How many messages were delivered.
    messages: u64,
    /// The failure that is to follow the next message.
    doomed: Option<Failure>,
    /// A message that is held back.
    held: Option<Delivered>,
    /// Pongs that are held back until the message is over.
    late: Vec<Vec<u8>>,
    /// How many pings this read had.
    pings: u32,
}

impl Conversation {
    pub(super) fn new(role: Role, agreed: Option<Params>, speaker: &mut Speaker, nature: &Nature) -> Self {
        speaker.agree(agreed, nature);
        Self {
            role,
            frames: Frames::default(),
            law: Law::new(role.peer(), Negotiated { deflate: agreed }),
            assembly: Assembly::new(role.peer(), agreed, nature),
            frame: None,
            stage: Stage::Talking,
            ending: None,
            ended: false,
            messages: 0,
            doomed: None,
            held: None,
            late: Vec::new(),
            pings: 0,
        }
    }

    /// Takes what was read at once.
    pub(super) fn take(&mut self, bytes: &[u8], speaker: &mut Speaker, nature: &Nature) {
        if self.ended || bytes.is_empty() {
            return;
        }
        self.pings = 0;
        self.frames.push(bytes);
        while let Some(piece) = self.frames.next(nature) {
            let is_end = piece == Piece::End;
            let fits = self.assembly.fits(piece.clone(), nature);
            if let Err(failure) = fits.and_then(|()| self.piece(piece, speaker, nature)) {
                self.fail(failure, speaker, nature);
            }
            if is_end && self.frames.has_more() && nature.has(Defect::LosesRestOfRead) {
                self.frames.forget();
            }
        }
        let mut at_end = self.assembly.end_of_read(nature);
        if self.frames.in_header() && nature.has(Defect::RefusesHeaderInPieces) {
            at_end = Err(Failure(1002));
        }
        if let Err(failure) = at_end {
            self.fail(failure, speaker, nature);
        }
        if let Some(ending) = self.ending.take() {
            self.end(ending, speaker);
        }
    }

    /// The peer ended its side of TCP.
    pub(super) fn end_of_stream(&mut self, speaker: &mut Speaker) {
        self.end(Output::ShutdownWrite, speaker);
    }

    fn end(&mut self, ending: Output, speaker: &mut Speaker) {
        if !self.ended {
            speaker.push(ending);
            self.ended = true;
        }
    }

    fn piece(&mut self, piece: Piece, speaker: &mut Speaker, nature: &Nature) -> Result<(), Failure> {
        match piece {
            Piece::Header(header) => {
                self.frame = Some((header, true));
                self.header(&header, nature)?;
                self.frame = Some((header, false));
                Ok(())
            }
            Piece::Payload { bytes, offset } => match self.frame {
                Some((header, false)) if header.opcode.is_control() => {
                    self.law.payload(bytes, offset);
                    Ok(())
                }
                Some((header, false)) if !header.opcode.is_reserved() => {
                    self.assembly.payload(&bytes, nature)
                }
                Some(_) | None => Ok(()),
            },
            Piece::End => match self.frame.take() {
                Some((header, false)) => self.frame_end(&header, speaker, nature),
                Some((_, true)) | None => Ok(()),
            },
        }
    }

    fn header(&mut self, header: &Header, nature: &Nature) -> Result<(), Failure> {
        resilience::header(header, nature);
        self.law.header(header, nature)?;
        let is_message = header.opcode.kind().is_some();
        // "The server MUST close the connection upon receiving a frame that is not masked." (RFC 6455, 5.1) To have
        // come here it was passed over.
        let wrong_mask = header.mask.is_some() != self.role.peer().masks();
        if wrong_mask && is_message && nature.has(Defect::DeliversWrongMask) {
            self.doomed = Some(Failure(1002));
        }
        if header.opcode.is_control() || header.opcode.is_reserved() {
            return Ok(());
        }
        self.assembly.begin(header, nature)
    }

    fn frame_end(&mut self, header: &Header, speaker: &mut Speaker, nature: &Nature) -> Result<(), Failure> {
        match self.law.end(header, nature)? {
            Some(Control::Ping(body)) => self.ping(body, speaker, nature),
            Some(Control::Pong(body)) => self.on_pong(body, speaker, nature),
            Some(Control::Close(body)) => self.close(header, &body, speaker, nature),
            None if header.opcode.is_reserved() => Ok(()),
            None => {
                if let Some(message) = self.assembly.end(header, nature)? {
                    self.deliver(message, speaker, nature);
                }
                match self.doomed.take() {
                    Some(failure) => Err(failure),
                    None => Ok(()),
                }
            }
        }
    }

    /// Whether what came is still to be answered.
    fn answers(&self, after_close: Defect, nature: &Nature) -> bool {
        match self.stage {
            Stage::Talking => true,
            // "after receiving a control frame indicating the connection should be closed, a peer discards any further
            // data received" (RFC 6455, 1.4)
            Stage::Closed => nature.has(after_close),
            // "An endpoint MUST NOT continue to attempt to process data (including a responding Close frame) from the
            // remote endpoint after being instructed to _Fail the WebSocket Connection_." (RFC 6455, 7.1.7)
            Stage::Failed => nature.has(Defect::GoesOnAfterFailure),
        }
    }

    fn ping(&mut self, body: Vec<u8>, speaker: &mut Speaker, nature: &Nature) -> Result<(), Failure> {
        if !self.answers(Defect::PongAfterClose, nature) {
            return Ok(());
        }
        let mut body = body;
        if self.assembly.in_message() {
            if nature.has(Defect::LosesPingInside) {
                return Ok(());
            }
            if nature.has(Defect::PingInsideBreaks)
                || self.assembly.in_compressed() && nature.has(Defect::PingBreaksCompressed)
            {
                self.assembly.lose();
            }
            if nature.has(Defect::PingInsideJoins) {
                self.assembly.join(&body);
            }
            if nature.has(Defect::AnswersPingInsideLate) {
                self.late.push(body);
                return Ok(());
            }
            if self.assembly.in_compressed() && !body.is_empty() && nature.has(Defect::InflatesPing) {
                let mut decompressor = Decompressor::new(&Params::default(), self.role.peer(), 1 << 16);
                body = decompressor.push(&body).map_err(|_| Failure(1002))?.to_vec();
            }
        }
        self.pings += 1;
        if nature.has(Defect::NoPong)
            || body.is_empty() && nature.has(Defect::NoPongToEmpty)
            || self.pings > 1 && nature.has(Defect::FirstPongOnly)
        {
            return Ok(());
        }
        self.pong(body, speaker, nature);
        Ok(())
    }

    /// Answers a ping.
    fn pong(&mut self, body: Vec<u8>, speaker: &mut Speaker, nature: &Nature) {
        let mut body = body;
        if !body.is_empty() && nature.has(Defect::PongEmpty) {
            body.clear();
        }
        if nature.has(Defect::PongOther) {
            body = b"pong".to_vec();
        }
        if body.len() > 124 && nature.has(Defect::PongCut) {
            body.truncate(124);
        }
        if std::str::from_utf8(&body).is_err() && nature.has(Defect::PongAsText) {
            body = String::from_utf8_lossy(&body).into_owned().into_bytes();
            body.truncate(125);
        }
        if let Some(end) = body.iter().position(|byte| *byte == 0)
            && nature.has(Defect::PongUntilNul)
        {
            body.truncate(end);
        }
        if nature.has(Defect::PongLong) {
            body.resize(126, b'.');
        }
        if speaker.compresses() && nature.has(Defect::CompressesPong) {
            body = speaker.squeeze(&body);
        }
        let opcode = if nature.has(Defect::PingForPing) { Opcode::PING } else { Opcode::PONG };
        let rsv = if speaker.compresses() && nature.has(Defect::Rsv1OnPong) {
            Rsv::RSV1
        } else if nature.has(Defect::PongWithRsv) {
            Rsv::RSV3
        } else {
            Rsv::NONE
        };
        let fin = !nature.has(Defect::PongFragmented);
        speaker.frame(opcode, fin, rsv, &body, nature);
    }

    fn on_pong(&mut self, body: Vec<u8>, speaker: &mut Speaker, nature: &Nature) -> Result<(), Failure> {
        if self.stage != Stage::Talking {
            return Ok(());
        }
        resilience::pong(nature);
        if self.assembly.in_message() && nature.has(Defect::PongInsideBreaks) {
            self.assembly.lose();
        }
        // "A response to an unsolicited Pong frame is not expected." (RFC 6455, 5.5.3)
        if nature.has(Defect::PongForPong) {
            speaker.frame(Opcode::PONG, true, Rsv::NONE, &body, nature);
        }
        if nature.has(Defect::ClosesAtPong) { Err(Failure(1002)) } else { Ok(()) }
    }

    fn deliver(&mut self, message: Delivered, speaker: &mut Speaker, nature: &Nature) {
        if !self.answers(Defect::DeliversAfterClose, nature) {
            return;
        }
        self.messages += 1;
        let Some(message) = spoiled(message, self.messages, nature) else { return };
        let message = if nature.has(Defect::EchoesLate) { self.held.replace(message) } else { Some(message) };
        if let Some(Delivered { kind, payload }) = message {
            speaker.message(kind, &payload, nature);
            if nature.has(Defect::EchoesTwice) {
                speaker.message(kind, &payload, nature);
            }
        }
        for body in std::mem::take(&mut self.late) {
            self.pong(body, speaker, nature);
        }
    }

    fn close(
        &mut self,
        header: &Header,
        body: &[u8],
        speaker: &mut Speaker,
        nature: &Nature,
    ) -> Result<(), Failure> {
        match self.stage {
            Stage::Talking => {}
            Stage::Closed | Stage::Failed => return Ok(()),
        }
        if nature.has(Defect::CloseIgnored)
            || self.assembly.in_message() && nature.has(Defect::CloseInsideIgnored)
        {
            return Ok(());
        }
        refuses_close(body, nature)?;
        self.stage = Stage::Closed;
        if nature.has(Defect::CloseNotAnswered) {
            self.ending = Some(Output::ShutdownWrite);
            return Ok(());
        }
        let answer = match header.mask {
            Some([high, low, ..]) if self.role == Role::Client && nature.has(Defect::MisreadsMaskedClose) => {
                vec![high, low]
            }
            Some(_) | None => answer_to_close(body, nature),
        };
        let fin = !nature.has(Defect::CloseFragmented);
        let rsv = if speaker.compresses() && nature.has(Defect::Rsv1OnClose) { Rsv::RSV1 } else { Rsv::NONE };
        speaker.frame(Opcode::CLOSE, fin, rsv, &answer, nature);
        if nature.has(Defect::MessageAfterClose) {
            speaker.message(Kind::Text, b"one more", nature);
        }
        self.after_close(nature);
        Ok(())
    }

    /// "The underlying TCP connection, in most normal cases, SHOULD be closed first by the server" (RFC 6455, 7.1.1)
    fn after_close(&mut self, nature: &Nature) {
        self.ending = match self.role {
            Role::Server => (!nature.has(Defect::LeavesTcpOpen)).then_some(Output::ShutdownWrite),
            Role::Client => None,
        };
    }

    /// "the endpoint SHOULD send a Close frame with an appropriate status code before proceeding to _Close the WebSocket
    /// Connection_" (RFC 6455, 7.1.7)
    fn fail(&mut self, Failure(code): Failure, speaker: &mut Speaker, nature: &Nature) {
        match self.stage {
            Stage::Talking => self.stage = Stage::Failed,
            Stage::Closed | Stage::Failed => return,
        }
        if nature.has(Defect::DropsOnViolation) {
            self.ending = Some(Output::ShutdownWrite);
            return;
        }
        if nature.has(Defect::ResetsOnViolation) {
            self.ending = Some(Output::Reset);
            return;
        }
        speaker.frame(Opcode::CLOSE, true, Rsv::NONE, &code.to_be_bytes(), nature);
        self.ending = match self.role {
            Role::Server => (!nature.has(Defect::LeavesTcpOpenOnFailure)).then_some(Output::ShutdownWrite),
            Role::Client => None,
        };
    }
}

/// What is delivered of the `nth` message, from 1.
fn spoiled(message: Delivered, nth: u64, nature: &Nature) -> Option<Delivered> {
    let Delivered { mut kind, mut payload } = message;
    match kind {
        Kind::Text => {
            if payload.is_empty() && nature.has(Defect::LosesEmptyText) {
                return None;
            }
            if payload.starts_with("\u{feff}".as_bytes()) && nature.has(Defect::StripsBom) {
                payload.drain(..3);
            }
            if payload.trim_ascii().len() < payload.len() && nature.has(Defect::TrimsText) {
                payload = payload.trim_ascii().to_vec();
            }
            if nature.has(Defect::TextAsBinary) {
                kind = Kind::Binary;
            }
        }
        Kind::Binary => {
            if payload.is_empty() && nature.has(Defect::LosesEmptyBinary) {
                return None;
            }
            if !payload.is_empty() && nature.has(Defect::CorruptsFirstByte) {
                payload[0] ^= 1;
            }
            if payload.iter().any(|byte| *byte > 0x7F) && nature.has(Defect::SevenBits) {
                payload.iter_mut().for_each(|byte| *byte &= 0x7F);
            }
            if let Some(end) = payload.iter().position(|byte| *byte == 0)
                && nature.has(Defect::EndsAtNul)
            {
                payload.truncate(end);
            }
            if nature.has(Defect::BinaryAsText) {
                kind = Kind::Text;
            }
        }
    }
    if nth == 2 && nature.has(Defect::LosesSecondMessage) {
        return None;
    }
    let cuts = [
        (125, Defect::Cuts125),
        (126, Defect::Cuts126),
        (65_535, Defect::Cuts65535),
        (65_536, Defect::Cuts65536),
    ];
    if cuts.into_iter().any(|(length, defect)| payload.len() == length && nature.has(defect)) {
        payload.pop();
    }
    if payload.len() > 1 << 20 && nature.has(Defect::CutsLarge) {
        payload.truncate(1 << 20);
    }
    Some(Delivered { kind, payload })
}

/// Some endpoints do not take every lawful Close.
fn refuses_close(body: &[u8], nature: &Nature) -> Result<(), Failure> {
    let (code, reason) = match body {
        [high, low, reason @ ..] => (Some(u16::from_be_bytes([*high, *low])), reason.len()),
        [] | [_] => (None, 0),
    };
    let refused = [
        (code == Some(1001), Defect::RefusesCode1001),
        (code == Some(1011), Defect::RefusesCode1011),
        (matches!(code, Some(3000..=3999)), Defect::RefusesCode3000),
        (matches!(code, Some(4000..=4999)), Defect::RefusesCode4999),
        (reason == 123, Defect::RefusesReason123),
        (reason > 0, Defect::RefusesReason),
        (body.is_empty(), Defect::RefusesEmptyClose),
    ];
    match refused.into_iter().any(|(applies, defect)| applies && nature.has(defect)) {
        true => Err(Failure(1002)),
        false => Ok(()),
    }
}

/// "When sending a Close frame in response, the endpoint typically echos the status code it received." (RFC 6455, 5.5.1)
fn answer_to_close(body: &[u8], nature: &Nature) -> Vec<u8> {
    if body.len() < 2 {
        if nature.has(Defect::CloseAnsweredWith1005) {
            return 1005_u16.to_be_bytes().to_vec();
        }
        if nature.has(Defect::CloseAnsweredWith0) {
            return vec![0, 0];
        }
    }
    if nature.has(Defect::CloseAnsweredWith1006) {
        return 1006_u16.to_be_bytes().to_vec();
    }
    if nature.has(Defect::CloseAnsweredWithOneByte) {
        return vec![3];
    }
    if nature.has(Defect::CloseAnswerLong) {
        return [&1000_u16.to_be_bytes()[..], &[b'.'; 128]].concat();
    }
    // Where there is no code, 1000 is a lawful answer as well as none; and who answers so can be told from who fails.
    let [high, low, reason @ ..] = body else { return 1000_u16.to_be_bytes().to_vec() };
    if nature.has(Defect::CloseAnsweredWith1002) {
        return 1002_u16.to_be_bytes().to_vec();
    }
    if nature.has(Defect::CloseCodeSwapped) {
        return vec![*low, *high];
    }
    if reason.last().is_some_and(|byte| *byte > 0x7F) && nature.has(Defect::ReasonCutInCharacter) {
        return body[..body.len() - 1].to_vec();
    }
    vec![*high, *low]
}
