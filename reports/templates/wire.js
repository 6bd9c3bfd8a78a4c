// The wire of one case as a timeline. Read from its line of text only when it is shown.

const wireLines = [];
let shared;
/** Each entry comes as `[thing, microseconds since the one before, step?, what fills the thing's holes…]`. Step -1 is the prelude. */
function wireOf(target, record) {
  shared ??= JSON.parse(byId("shared").textContent);
  wireLines[target] ??= byId(`wire-${target}`).textContent.split("\n");
  let [i, t] = [0, 0];
  const e = JSON.parse(wireLines[target][record]).map(([thing, later, ...rest]) => {
    const s = typeof rest[0] === "number" ? rest.shift() : undefined;
    const entry = { ...shared.t[thing], i, t: (t += later), s, holes: rest };
    i += entry.w === "gap" ? entry.n : 1;
    return entry;
  });
  const deflate = e.some((entry) => entry.w === "opened" && /permessage-deflate/.test(entry.extensions ?? ""));
  const isServer = index.targets[target].role === "server";
  return { b: shared.b, l: shared.l, deflate, e, isFromClient: (direction) => isServer === (direction === "sent") };
}

/** The lines of an HTTP head. */
function headOf(wire, e) {
  const holes = [...e.holes];
  return e.l.map((line) => wire.l[line].replaceAll("\0", () => holes.shift() ?? "")).join("\n");
}

const PREVIEW_TEXT = 120;
const PREVIEW_BYTES = 24;

/** The bytes as text, if they are UTF-8 as far as they go. */
function textOf(bytes, isWhole) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !isWhole });
  } catch {
    return null;
  }
}

const spaced = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(" ");

/** Sixteen bytes a line: offset, hex, and what of it is ASCII. */
function dump(bytes, offset) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const ascii = Array.from(row, (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : "·")).join("");
    lines.push(`${(offset + at).toString(16).padStart(8, "0")}  ${spaced(row).padEnd(47)}  ${ascii}`);
  }
  return lines.join("\n");
}

/** What can be seen of a payload: text if it is some, the first bytes, and the rest on demand. */
function payload(wire, p, skip = 0, isCompressed = false) {
  if (p.n === 0 || p.h === undefined) return null;
  const head = bytesOf(wire.b[p.h]);
  const isWhole = head.length === p.n;
  const body = head.subarray(skip);
  const parts = [];
  const text = body.length && !isCompressed ? textOf(body, isWhole) : null;
  if (isCompressed && body.length) {
    parts.push(el("span", { class: "hex" }, "compressed"));
  } else if (text !== null) {
    const isLong = text.length > PREVIEW_TEXT || !isWhole;
    parts.push(el("span", { class: "text" }, `“${visible([...text].slice(0, PREVIEW_TEXT).join(""))}${isLong ? "…" : "”"}`));
  } else if (body.length) {
    parts.push(el("span", { class: "nottext" }, "not UTF-8"));
  }
  const isLong = head.length > PREVIEW_BYTES || !isWhole;
  parts.push(el("span", { class: "hex" }, spaced(head.subarray(0, PREVIEW_BYTES)), isLong ? " …" : ""));
  if (!isLong) return el("div", { class: "payload" }, parts);

  const more = el("details", { class: "bytes" }, el("summary", null, isWhole ? plural(p.n, "byte") : `${plural(p.n, "byte")}, both ends`));
  more.addEventListener("toggle", () => {
    if (more.childElementCount > 1) return;
    const lines = [dump(head, 0)];
    if (p.t !== undefined) {
      const tail = bytesOf(wire.b[p.t]);
      lines.push(`          … ${plural(p.n - head.length - tail.length, "byte")} not kept …`, dump(tail, p.n - tail.length));
    }
    append(more, [el("pre", { tabindex: "0" }, lines.join("\n"))]);
    if (p.sha1 !== undefined) append(more, [el("p", { class: "sha1" }, "SHA-1 of all of it: ", el("code", null, wire.b[p.sha1]))]);
  });
  return el("div", { class: "payload" }, parts, more);
}

const tag = (text, kind, title) => el("span", { class: `tag ${kind ?? ""}`, title }, text);

/** RFC 7692 6: of the first frame of a message RSV1 says that the message is compressed. */
const isCompressedFrame = (wire, f) => wire.deflate && (f.rsv & 4) !== 0 && (f.op === 1 || f.op === 2);

function frame(wire, e, isOpen) {
  const { f } = e;
  const mask = e.holes[0];
  const isControl = f.op >= 8;
  const tags = [tag(index.words.opcodes[f.op & 15], isControl ? "op control" : "op", `opcode 0x${(f.op & 15).toString(16)}`)];
  if (f.times) tags.push(tag(`× ${f.times}`, "times", `${f.times} like frames in a row`));
  tags.push(f.more ? tag("no FIN", "off", "more frames of the message follow") : tag("FIN", "", "the last frame of its message"));
  const isCompressed = isCompressedFrame(wire, f);
  if (isCompressed) tags.push(tag("RSV1", "", "the message is compressed"));
  for (const [bit, name] of [[isCompressed ? 0 : 4, "RSV1"], [2, "RSV2"], [1, "RSV3"]]) if (f.rsv & bit) tags.push(tag(name, "odd", "a reserved bit is set"));
  if (Boolean(mask) !== wire.isFromClient(e.d)) tags.push(mask ? tag("masked", "odd", "a server must not mask its frames") : tag("unmasked", "odd", "a client has to mask its frames"));
  const form = { 2: " in 16 bits", 8: " in 64 bits" }[f.lb] ?? "";
  const { length } = headerOf(f, mask);
  const minimal = length < 126n ? 0 : length < 65536n ? 2 : 8;
  tags.push(tag(`length ${length.toLocaleString("en")}${form}`, (f.lb ?? 0) !== minimal ? "odd" : "", `${f.lb ?? 0} bytes of extended length`));
  if (BigInt(f.p.n) !== length) tags.push(tag(`only ${plural(f.p.n, "byte")} of it came`, "odd"));
  if (f.code !== undefined) tags.push(tag(`code ${f.code}`, "code"));
  if (f.chops) tags.push(tag(`in ${f.chops} writes`, ""));
  const [button, place] = headerButton(wire, e, isOpen);
  return [el("div", { class: "tags" }, tags, button), place, payload(wire, f.p, f.op === 8 ? 2 : 0, isCompressed)];
}

const ENDED = {
  normal: "we ended TCP, as was our turn",
  "gave-up": "we ended TCP: the peer should have and did not in time",
  abort: "we reset TCP, as the step asks",
  half: "we ended our sending side, as the step asks",
};

/** What one row says: its class, its direction, its content. */
function row(wire, e, isNoted) {
  switch (e.w) {
    case "connected":
      return ["mark", null, "connected"];
    case "http":
      return ["http", e.d, [
        el("pre", { class: "head" }, headOf(wire, e), e.more ? `\n… ${plural(e.more, "more line")} in run.json` : ""),
      ]];
    case "opened":
      return ["mark good", null, ["WebSocket open", e.subprotocol && `, subprotocol ${e.subprotocol}`, e.extensions && `, ${e.extensions}`]];
    case "opening-failed":
      return ["mark bad", null, ["opening handshake failed", e.status ? ` (HTTP ${e.status})` : "", ": ", e.text]];
    case "frame":
      return ["frame", e.d, frame(wire, e, isNoted)];
    case "bytes":
      return ["raw", e.d, [el("div", { class: "tags" }, tag("raw bytes", "op"), tag(plural(e.p.n, "byte"))), payload(wire, e.p)]];
    case "message":
      return ["message", null, [el("div", { class: "tags" }, tag(`${e.kind} message complete`, "whole"), tag(plural(e.p.n, "byte"))), payload(wire, e.p)]];
    case "exchanged":
      return [`mark ${e.whole ? "good" : "odd"}`, null, e.text];
    case "declined":
      return ["mark odd", null, `the peer did not agree to ${e.text}`];
    case "violation":
      return ["mark bad", null, ["broke ", el("code", null, e.rule), ": ", e.text]];
    case "still-open":
      return ["mark good", null, `still open at “${e.text}”`];
    case "timed-out":
      return ["mark odd", null, `waited in vain for ${e.text}`];
    case "end-of-stream":
      return ["mark", "received", "the peer ended TCP"];
    case "reset":
      return ["mark bad", "received", "the peer reset TCP"];
    case "closed":
      return ["mark", "sent", ENDED[e.how]];
    case "trouble":
      return ["mark odd", null, `on our side: ${e.text}`];
    case "measured":
      return [`mark ${e.good ? "good" : "bad"}`, null, [el("code", null, e.of), ": ", e.text]];
    case "folded":
      return ["mark", e.d, `${plural(e.frames, "more frame")} with ${plural(e.bytes, "byte")} of payload`];
    case "gap":
      return ["mark gap", null, e.text];
  }
  return ["mark", null, e.w];
}

const ARROWS = { sent: ["→", "sent"], received: ["←", "received"] };

/** From so many microseconds on a pause is told. */
const SILENCE = 200_000;

/** The whole timeline. `notes` says which findings point at which entry. */
function timeline(wire, steps, notes) {
  const list = el("ol", { class: "wire" });
  let step;
  let before = 0;
  for (const e of wire.e) {
    if (e.s !== undefined && e.s !== step) {
      step = e.s;
      const title = step < 0 ? "prelude" : `step ${step + 1}`;
      append(list, [el("li", { class: "step" }, el("span", null, title), " ", steps[step] ?? (step < 0 ? "" : "probe: is the connection open?"))]);
    }
    if (e.t - before >= SILENCE) append(list, [el("li", { class: "silence" }, `${((e.t - before) / 1e6).toFixed(2)} s in which nothing happened`)]);
    before = e.t;
    const [kind, direction, content] = row(wire, e, notes.has(e.i));
    const [arrow, word] = ARROWS[direction] ?? ["", ""];
    const marks = (notes.get(e.i) ?? []).map((n) => el("a", { class: "ref", href: "#", "data-to": `finding-${n}` }, `finding ${n}`));
    append(list, [
      el("li", { class: `row ${kind} ${direction ?? "local"}${marks.length ? " noted" : ""}`, id: `entry-${e.i}`, tabindex: "-1" },
        el("span", { class: "at", title: "milliseconds since the case began" }, (e.t / 1000).toFixed(e.t < 1e6 ? 2 : 0)),
        el("span", { class: "dir" }, el("span", { "aria-hidden": "true" }, arrow), el("span", { class: "vh" }, word)),
        el("div", { class: "what" }, marks, content)),
    ]);
  }
  return list;
}
