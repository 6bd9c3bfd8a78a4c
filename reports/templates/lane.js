// The connection at a glance: what we sent above, what came back below, along the time.

const LANE = { width: 1000, height: 64, edge: 6 };

/** The drawing. A click goes to the entry; the list below says all of it, so there is nothing here for the keyboard. */
function lane(wire, notes) {
  const { width, height, edge } = LANE;
  const end = Math.max(1, ...wire.e.map((e) => e.t));
  const x = (e) => edge + (width - 2 * edge) * (e.t / end);
  const marks = wire.e.map((e) => {
    const direction = e.d ?? { "end-of-stream": "received", reset: "received", closed: "sent" }[e.w];
    const isNoted = notes.has(e.i);
    const isLong = e.w === "http" || e.w === "closed" || e.w === "end-of-stream" || e.w === "reset";
    const [from, to] = direction === "sent" ? [isLong ? 4 : 10, height / 2 - 2] : direction === "received" ? [height / 2 + 2, height - (isLong ? 4 : 10)] : [height / 2 - 5, height / 2 + 5];
    const kind = e.w === "frame" && e.f.op >= 8 ? "control" : e.w;
    return svg("path", { class: `tick ${direction ?? "local"} ${kind}${isNoted ? " noted" : ""}`, d: `M${x(e).toFixed(1)} ${from}V${to}` });
  });
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "middle", d: `M0 ${height / 2}H${width}` }), marks);
  drawing.addEventListener("click", (event) => {
    const box = drawing.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width * width;
    const isAbove = event.clientY < box.top + box.height / 2;
    const side = wire.e.filter((e) => e.d === (isAbove ? "sent" : "received"));
    const nearest = (side.length ? side : wire.e).reduce((best, e) => (Math.abs(x(e) - at) < Math.abs(x(best) - at) ? e : best));
    goTo(`entry-${nearest.i}`);
  });
  const time = (us) => (us < 1e6 ? `${(us / 1000).toFixed(us < 1e4 ? 2 : 0)} ms` : `${(us / 1e6).toFixed(2)} s`);
  return el("div", { class: "lane", "aria-hidden": "true" },
    el("span", { class: "side" }, el("span", null, "we"), el("span", null, "peer")), drawing,
    el("span", { class: "span" }, el("span", null, "0"), el("span", null, time(end / 2)), el("span", null, time(end))));
}

/** Brings a part of the open case into view, and the keyboard with it. */
function goTo(id) {
  const to = byId(id);
  to?.scrollIntoView({ block: "center" });
  to?.focus({ preventScroll: true });
}
