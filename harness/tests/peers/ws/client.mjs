// The loop of a test driver on the `ws` package: how many cases, each of them as an echo, the reports.
import WebSocket from "ws";

const [, , base, agent] = process.argv;
let count = 0;

function call(path, { onMessage, onClose }) {
  const socket = new WebSocket(base + path, { perMessageDeflate: true, maxFragments: 0 }); // its own limit is 16 384
  socket.on("message", (data, isBinary) => onMessage?.(socket, data, isBinary));
  socket.on("close", onClose);
  socket.on("error", () => {}); // the other side broke a rule; `ws` has already failed the connection
}

function play(number) {
  if (number > count) {
    call(`/updateReports?agent=${agent}&shutdownOnComplete=true`, { onClose: () => process.exit(0) });
    return;
  }
  call(`/runCase?case=${number}&agent=${agent}`, {
    onMessage: (socket, data, isBinary) => socket.send(data, { binary: isBinary }),
    onClose: () => play(number + 1),
  });
}

call("/getCaseCount", {
  onMessage: (_socket, data) => (count = Number(data)),
  onClose: () => play(1),
});
