//! A server in memory that compresses, lawful but for one defect.

use std::collections::VecDeque;

use bytes::Bytes;
use wsgrade_codec::Role;
use wsgrade_codec::deflate::{Compressor, Decompressor, Params, Support, WindowBits, negotiate};
use wsgrade_codec::handshake::{Agreement, Extension, Limits as HeadLimits, RequestReader};
use wsgrade_codec::wire::{FrameDecoder, Header, Opcode, Piece, Rsv};

use super::Serve;
use crate::engine::Input;

/// What a server that compresses can get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    None,
    /// Does not agree to permessage-deflate.
    Declines,
    /// Agrees to a window that nobody asked for.
    AgreesToMore,
    /// Calls a request with offers a bad one.
    Refuses,
    /// Agrees to begin each message with an empty window, and does not.
    KeepsContext,
    /// Uses the largest window, whatever was agreed.
    ExceedsWindow,
    /// Does not set RSV1 on what is compressed.
    NoRsv1,
    /// Sets RSV1 on the second frame of a message too.
    Rsv1Twice,
    /// Does not remove the tail.
    KeepsTail,
    /// Sends the echo of each message when the next one is in.
    Late,
    /// Answers with the message before, if it has the same length.
    Stale,
    /// Cuts messages at 65 535 bytes.
    Cuts,
    /// Its buffer for compressed data is as long as the message.
    CutsIncompressible,
    /// Loses a byte where a message comes in several frames.
    LosesByteInFragments,
    /// Begins with an empty window itself once so many bytes went through, and goes on referring to it.
    ForgetsWindowAfter(u64),
    /// Changes a byte of message number `n`, from 1.
    Corrupts(u64),
}

/// The server's side of one connection.
pub(crate) struct DeflateServer {
    defect: Defect,
    opening: Option<RequestReader>,
    decoder: FrameDecoder,
    params: Option<Params>,
    compressor: Option<Compressor>,
    decompressor: Option<Decompressor>,
    /// The kind of the message that is coming, and whether it is compressed.
    kind: Opcode,
    compressed: bool,
    /// Its payload, and how many frames it came in.
    payload: Vec<u8>,
    frames: u32,
    header: Option<Header>,
    /// How many messages came, and how many bytes they had.
    messages: u64,
    bytes: u64,
    /// What was answered last.
    last: Vec<u8>,
    /// An answer that is held back.
    held: Option<(Opcode, Vec<u8>)>,
    out: VecDeque<Input>,
}

impl DeflateServer {
    pub(crate) fn new(defect: Defect) -> Self {
        Self {
            defect,
            opening: Some(RequestReader::new(HeadLimits::default())),
            decoder: FrameDecoder::new(),
            params: None,
            compressor: None,
            decompressor: None,
            kind: Opcode::TEXT,
            compressed: false,
            payload: Vec::new(),
            frames: 0,
            header: None,
            messages: 0,
            bytes: 0,
            last: Vec::new(),
            held: None,
            out: VecDeque::new(),
        }
    }

    fn open(&mut self, extensions: &[Extension]) -> Agreement {
        let Some((params, extension)) = negotiate(extensions, &Support::default()) else {
            return Agreement::default();
        };
        let extension = match self.defect {
            Defect::Declines => return Agreement::default(),
            Defect::AgreesToMore => extension.with("server_max_window_bits", Some("16".to_owned())),
            _ => extension,
        };
        let mut ours = params;
        match self.defect {
            Defect::KeepsContext => ours.server_no_context_takeover = false,
            Defect::ExceedsWindow => ours.server_max_window_bits = WindowBits::MAX,
            _ => {}
        }
        self.params = Some(ours);
        self.compressor = Some(Compressor::with_level(&ours, Role::Server, 1));
        self.decompressor = Some(Decompressor::new(&params, Role::Client, 1 << 20));
        Agreement { extensions: vec![extension], ..Agreement::default() }
    }

    fn piece(&mut self, piece: Piece) {
        match piece {
            Piece::Header(header) => {
                if !header.opcode.is_control() {
                    if header.opcode != Opcode::CONTINUATION {
                        self.kind = header.opcode;
                        self.compressed = header.rsv.contains(Rsv::RSV1);
                        self.payload.clear();
                        self.frames = 0;
                    }
                    self.frames += 1;
                }
                self.header = Some(header);
            }
            Piece::Payload { bytes, .. } => self.payload.extend_from_slice(&bytes),
            Piece::End => {
                let header = self.header.take().expect("a frame ends after it began");
                match header.opcode {
                    Opcode::CLOSE => {
                        self.frame(Opcode::CLOSE, true, Rsv::NONE, &[3, 232]);
                        self.out.push_back(Input::EndOfStream);
                    }
                    _ if header.fin => self.message(),
                    _ => {}
                }
            }
        }
    }

    fn message(&mut self) {
        let payload = std::mem::take(&mut self.payload);
        let message = match &mut self.decompressor {
            Some(decompressor) if self.compressed => {
                decompressor.push(&payload).expect("the engine compresses lawfully");
                decompressor.finish().expect("the engine compresses lawfully").1
            }
            _ => payload,
        };
        self.messages += 1;
        self.bytes += message.len() as u64;
        let kind = self.kind;
        let answer = self.spoil(message);
        if self.defect == Defect::Late {
            if let Some((kind, held)) = self.held.replace((kind, answer)) {
                self.answer(kind, &held);
            }
            return;
        }
        self.answer(kind, &answer);
    }

    fn spoil(&mut self, mut message: Vec<u8>) -> Vec<u8> {
        match self.defect {
            Defect::Stale if self.last.len() == message.len() => std::mem::swap(&mut self.last, &mut message),
            Defect::Stale => self.last.clone_from(&message),
            Defect::Cuts => message.truncate(65_535),
            Defect::LosesByteInFragments if self.frames > 1 => {
                message.pop();
            }
            Defect::Corrupts(n) if self.messages == n => {
                if let Some(byte) = message.first_mut() {
                    *byte ^= 1;
                }
            }
            _ => {}
        }
        message
    }

    fn answer(&mut self, kind: Opcode, message: &[u8]) {
        let Some(compressor) = &mut self.compressor else {
            return self.frame(kind, true, Rsv::NONE, message);
        };
        let mut payload = compressor.message(message);
        match self.defect {
            Defect::ForgetsWindowAfter(bytes) if self.bytes > bytes => {
                // What is left of a message when its references are not resolved.
                self.bytes = 0;
                let middle = payload.len() / 2;
                payload.truncate(middle);
                payload.push(0);
            }
            Defect::CutsIncompressible => payload.truncate(message.len()),
            Defect::KeepsTail => payload.extend([0x00, 0x00, 0xff, 0xff]),
            _ => {}
        }
        match self.defect {
            Defect::NoRsv1 => self.frame(kind, true, Rsv::NONE, &payload),
            Defect::Rsv1Twice => {
                let (first, second) = payload.split_at(payload.len() / 2);
                self.frame(kind, false, Rsv::RSV1, first);
                self.frame(Opcode::CONTINUATION, true, Rsv::RSV1, second);
            }
            _ => self.frame(kind, true, Rsv::RSV1, &payload),
        }
    }

    fn frame(&mut self, opcode: Opcode, fin: bool, rsv: Rsv, body: &[u8]) {
        let header = Header { fin, rsv, ..Header::new(opcode, None, body.len() as u64) };
        let mut bytes = header.encode().to_vec();
        bytes.extend_from_slice(body);
        self.out.push_back(Input::Received(Bytes::from(bytes)));
    }
}

impl Serve for DeflateServer {
    fn receive(&mut self, bytes: &[u8]) {
        let mut rest = Bytes::copy_from_slice(bytes);
        if let Some(reader) = &mut self.opening {
            let Ok(Some((head, behind))) = reader.push(bytes) else { return };
            rest = behind.freeze();
            self.opening = None;
            if self.defect == Defect::Refuses {
                self.out.push_back(Input::Received(Bytes::from_static(b"HTTP/1.1 400 Bad Request\r\n\r\n")));
                self.out.push_back(Input::EndOfStream);
                return;
            }
            let request = head.validate().expect("the engine opens lawfully");
            let agreement = self.open(&request.extensions);
            let response = request.accept(&agreement).expect("the extension is well-formed");
            self.out.push_back(Input::Received(Bytes::from(response)));
        }
        self.decoder.push(&rest);
        while let Some(piece) = self.decoder.next() {
            self.piece(piece);
        }
    }

    fn out(&mut self) -> &mut VecDeque<Input> {
        &mut self.out
    }
}
