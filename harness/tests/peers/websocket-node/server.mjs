// An echo server on the `websocket` package (WebSocket-Node). It has no permessage-deflate.
import http from "node:http";
import websocket from "websocket";

const MAX_BYTES = 64 * 1024 * 1024; // the package's own limit on a frame is 64 KiB

const server = http.createServer((_request, response) => response.writeHead(426).end());

new websocket.server({
  httpServer: server,
  autoAcceptConnections: true,
  maxReceivedFrameSize: MAX_BYTES,
  maxReceivedMessageSize: MAX_BYTES,
}).on("connect", (connection) => {
  connection.on("message", (message) => {
    if (message.type === "utf8") connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
  });
});

server.listen(0, "127.0.0.1", () => console.log(`ws://127.0.0.1:${server.address().port}/`));
