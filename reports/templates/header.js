// The header of a frame, byte by byte and bit by bit, as RFC 6455 5.2 draws it.

/** How much of the payload stands behind the header. */
const BEHIND = 12;

const MEANS = {
  0: "it goes on with the message that an earlier frame began",
  1: "a text message begins; its payload is UTF-8",
  2: "a binary message begins",
  8: "the closing handshake: nothing follows it from this side",
  9: "the peer has to answer with a pong of the same payload",
  10: "the answer to a ping, or sent unasked",
};

/** What a header says, put together again from what the record tells of it. */
function headerOf(f, mask) {
  const length = BigInt(f.len ?? f.p.n);
  const form = f.lb === 2 || f.lb === 8 ? f.lb : 0;
  const short = form === 2 ? 126 : form === 8 ? 127 : Number(length & 127n);
  const first = (f.more ? 0 : 0x80) | ((f.rsv ?? 0) & 7) << 4 | f.op & 15;
  const second = (mask ? 0x80 : 0) | short;
  const extended = Uint8Array.from({ length: form }, (_, i) => Number(length >> BigInt(8 * (form - 1 - i)) & 255n));
  return { length, form, short, first, second, extended, key: bytesOf(/^[0-9a-f]{8}$/i.test(mask ?? "") ? mask : "") };
}

/** The bytes of a header in hex, as they are on the wire. */
function headerHex(f, mask) {
  const { first, second, extended, key } = headerOf(f, mask);
  return [[first, second], extended, key].filter((part) => part.length).map((part) => spaced(Uint8Array.from(part))).join("  ");
}

const bits = (value, width) => value.toString(2).padStart(width, "0");

/** The fields in their order: in which byte, name, what stands there, what it says, and whether that is odd. */
function fieldsOf(wire, e) {
  const { f } = e;
  const mask = e.holes[0];
  const { length, form, short, first, extended, key } = headerOf(f, mask);
  const isControl = f.op >= 8;
  const isFromClient = wire.isFromClient(e.d);
  const isCompressed = isCompressedFrame(wire, f);
  const fields = [];
  const field = (part, name, value, says, isOdd = false) => fields.push({ part, name, value, says, isOdd });

  if (!f.more) field(0, "FIN", "1", isControl ? "The frame is whole, as every control frame has to be." : "The last frame of its message.");
  else field(0, "FIN", "0", isControl ? "Control frames must not be fragmented (RFC 6455 5.5), and this one says that more of it follows." : "More frames of this message follow.", isControl);
  for (const [name, bit] of [["RSV1", 4], ["RSV2", 2], ["RSV3", 1]]) {
    const isSet = ((f.rsv ?? 0) & bit) !== 0;
    const means = bit === 4 && wire.deflate;
    field(0, name, isSet ? "1" : "0",
      !isSet ? (means && !isControl && f.op !== 0 ? "The message is not compressed (RFC 7692 6)." : "Reserved, and 0 as it has to be where no extension gives it a meaning.")
        : bit === 4 && isCompressed ? "The message is compressed by permessage-deflate (RFC 7692 6)."
        : means ? "permessage-deflate allows this bit in the first frame of a data message only (RFC 7692 6)."
        : "Reserved: it has to be 0 unless an extension was agreed on that gives it a meaning (RFC 6455 5.2).",
      isSet && !(bit === 4 && isCompressed));
  }
  field(0, "opcode", bits(f.op & 15, 4),
    MEANS[f.op] ? `0x${f.op.toString(16)}, ${index.words.opcodes[f.op & 15]}: ${MEANS[f.op]}.`
      : `0x${(f.op & 15).toString(16)} is reserved: whoever receives it has to fail the connection (RFC 6455 5.2).`, !MEANS[f.op]);

  field(1, "MASK", mask ? "1" : "0",
    isFromClient ? (mask ? "The payload is masked, as all frames of a client are." : "Not masked, though all frames of a client have to be (RFC 6455 5.1).")
      : (mask ? "Masked, though a server must not mask its frames (RFC 6455 5.1)." : "Not masked, as a server's frames have to be."),
    isFromClient !== Boolean(mask));
  const shortest = length < 126n ? 0 : length < 65536n ? 2 : 8;
  const isTooLong = isControl && length > 125n;
  field(1, "length", bits(short, 7),
    form === 0 ? `${plural(length, "byte")} of payload.` : `${short}: the length is in the next ${form} bytes${isTooLong ? ", though a control frame has 125 bytes of payload at most (RFC 6455 5.5)" : ""}.`,
    isTooLong);
  if (form) {
    field(2, "extended length", spaced(extended),
      `${plural(length, "byte")} of payload, as a number of ${8 * form} bits, the highest byte first.` +
      (form === shortest ? "" : " It has to be written in as few bytes as it fits (RFC 6455 5.2), and fits fewer.") +
      (length >> 63n ? " The highest bit has to be 0 (RFC 6455 5.2)." : ""),
      form !== shortest || Boolean(length >> 63n));
  }
  if (key.length) field(3, "masking key", spaced(key), "Byte i of the payload is combined with byte i mod 4 of this key by exclusive or, to mask it and to unmask it.");
  behind(wire, f, key, field);
  return fields;
}

/** The beginning of what the header announces. */
function behind(wire, f, key, field) {
  const plain = f.p.h === undefined ? new Uint8Array() : bytesOf(wire.b[f.p.h]);
  if (f.p.n === 0) return;
  const part = (name, from, to, says) => {
    const bytes = plain.subarray(from, to);
    if (!bytes.length) return;
    const sent = key.length ? bytes.map((byte, i) => byte ^ key[(from + i) % 4]) : bytes;
    const rest = to < f.p.n ? " …" : "";
    field(4, name, spaced(sent) + rest, key.length ? `${says} Unmasked: ${spaced(bytes)}${rest}` : says);
  };
  if (f.op === 8 && f.p.n >= 2) {
    part("status code", 0, 2, `Why the connection ends: ${plain[0] << 8 | plain[1]}.`);
    part("reason", 2, 2 + BEHIND, "The reason, as UTF-8.");
  } else {
    part("payload", 0, BEHIND, f.p.n > BEHIND ? `The first of ${plural(f.p.n, "byte")}.` : `All ${plural(f.p.n, "byte")} of it.`);
  }
}

/** The drawing: a button for each field, one tab stop for all, and a line that says what the field means. */
function headerView(wire, e) {
  const says = el("p", { class: "says", "aria-hidden": "true" });
  const fields = fieldsOf(wire, e);
  const buttons = fields.map(({ name, value, says: text, isOdd }, n) =>
    el("button", { type: "button", class: `field${isOdd ? " odd" : ""}`, tabindex: n === 0 ? "0" : "-1", "aria-label": `${name} ${value}: ${text}` },
      el("span", { class: "name" }, name), " ", el("span", { class: "value" }, value)));
  const tell = (n) => {
    buttons.forEach((button, i) => button.classList.toggle("on", i === n));
    says.replaceChildren();
    const { name, value, says: text, isOdd } = fields[n];
    append(says, [el("b", null, name), ` ${value} `, el("span", { class: isOdd ? "odd" : null }, text)]);
  };
  const focus = (n) => {
    buttons.forEach((button, i) => button.setAttribute("tabindex", i === n ? "0" : "-1"));
    buttons[n].focus();
  };
  buttons.forEach((button, n) => {
    button.addEventListener("pointerenter", () => tell(n));
    button.addEventListener("focus", () => tell(n));
    button.addEventListener("click", () => focus(n));
    button.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: n - 1, ArrowRight: n + 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (buttons[to] === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      focus(to);
    });
  });
  const { first, second } = headerOf(e.f, e.holes[0]);
  const parts = [0, 1, 2, 3, 4].map((part) => {
    const inside = buttons.filter((_, n) => fields[n].part === part);
    const byte = [first, second][part];
    return inside.length > 0 && el("div", { class: `part p${part}` },
      byte !== undefined && el("span", { class: "byte", "aria-hidden": "true" }, `0x${byte.toString(16).padStart(2, "0")}`),
      el("div", { class: "fields" }, inside));
  });
  // What is wrong with it is what the reader came for.
  tell(Math.max(0, fields.findIndex((field) => field.isOdd)));
  return el("div", { class: "header", role: "group", "aria-label": "The header bit by bit; arrow keys go from field to field" }, el("div", { class: "parts" }, parts), says);
}

/** The header in hex, which opens into its bits. */
function headerButton(wire, e, isOpen) {
  const button = el("button", { type: "button", class: "bits", "aria-expanded": "false", title: "The header of this frame: bit by bit (b for all)" },
    el("span", { class: "vh" }, "header "), headerHex(e.f, e.holes[0]));
  const place = el("div", { class: "place-of-bits" });
  const toggle = (open) => {
    button.setAttribute("aria-expanded", String(open));
    place.replaceChildren();
    if (open) place.append(headerView(wire, e));
  };
  button.addEventListener("click", () => toggle(button.getAttribute("aria-expanded") !== "true"));
  if (isOpen) toggle(true);
  return [button, place];
}

/** Opens the headers of all frames of the case that is shown; where all are open, shuts them. */
function toggleHeaders(root) {
  const buttons = [...root.querySelectorAll(".bits")];
  const isOpen = (button) => button.getAttribute("aria-expanded") === "true";
  const shut = buttons.filter((button) => !isOpen(button));
  for (const button of shut.length ? shut : buttons) button.click();
}
