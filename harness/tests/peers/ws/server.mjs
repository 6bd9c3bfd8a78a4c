// An echo server on the `ws` package: everything as it comes, permessage-deflate offered to whoever asks. It listens on PORT, or
// on a free one.
import { WebSocketServer } from "ws";

const port = Number(process.env.PORT ?? 0);
const server = new WebSocketServer({ host: "127.0.0.1", port, perMessageDeflate: true });

server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on("error", () => {}); // the peer broke a rule; `ws` has already failed the connection
});

server.on("listening", () => console.log(`ws://127.0.0.1:${server.address().port}/`));
