// A service for `service.call`: it counts the lines of a text. Node 18 or newer, no packages. `node service.mjs PORT`
//
//   POST /lines    a text as the body       200 {"bytes": …, "lines": …}    422 for a file that is no UTF-8
//   POST /upper    a text as the body       200 the text in capitals, while it is still coming in

import { createServer } from "node:http";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

const answer = (response, status, body, type = "application/json") =>
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) }).end(body);

/** The request's text, piece by piece: no file has to fit into memory. Throws TypeError for what is no UTF-8. */
async function* text(request) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const block of request) yield decoder.decode(block, { stream: true });
  yield decoder.decode();
}

async function lines(request, response) {
  let bytes = 0;
  let count = 0;
  for await (const piece of text(request)) {
    bytes += Buffer.byteLength(piece);
    for (const character of piece) if (character === "\n") count += 1;
  }
  answer(response, 200, JSON.stringify({ bytes, lines: count }));
}

async function upper(request, response) {
  const capitals = new Transform({
    transform: (piece, _encoding, done) => done(null, String(piece).toUpperCase()),
    decodeStrings: false,
    encoding: "utf-8",
  });
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
  await pipeline(text(request), capitals, response);
}

const paths = { "/lines": lines, "/upper": upper };

const server = createServer(async (request, response) => {
  const work = paths[request.url];
  if (request.method !== "POST" || !work) return answer(response, 404, "POST a text to /lines or /upper", "text/plain");
  try {
    await work(request, response);
  } catch (error) {
    // Once an answer has begun, breaking it off is the only way to say that it is wrong.
    if (response.headersSent) response.destroy(error);
    else if (error instanceof TypeError) answer(response, 422, "the file is no text in UTF-8", "text/plain");
    else answer(response, 500, "the service failed; see its log", "text/plain");
  }
});

server.listen(Number(process.argv[2] ?? process.env.PORT ?? 8080), process.env.HOST ?? "127.0.0.1", () =>
  console.log(`listening on port ${server.address().port}`),
);
