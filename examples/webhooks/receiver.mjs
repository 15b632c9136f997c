// Receives webhooks: prints every file that has ended, once. Each request proves with a signature who sent it.
// Node 20 or newer, no packages.
//
//   SECRET="whsec_$(openssl rand -base64 32)" node receiver.mjs 8073
//
// docs/webhooks.md says how pipeline.toml has it called, with the same secret. While the secret rotates, Sluice signs with both keys: this
// program needs the one or the other. The package `standardwebhooks` does what isSigned does.

import { createHmac, timingSafeEqual } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

const { SECRET = "", MEMORY = "handled.txt" } = process.env;
const key = Buffer.from(SECRET.replace(/^whsec_/, ""), "base64");
if (key.length < 24) throw new Error("SECRET is no whsec_… with the base64 of at least 24 bytes");
const TOLERANCE_SECONDS = 300;
const MOST_BYTES = 20_000_000; // a notice has at most 10 MB

/** Your work. Answer first and work later where it takes long: then a queue of yours is the memory. */
async function work(event) {
  if (event.type === "sluice.job.finished.v1") console.log(event.verdict, event.data.file.name);
}

// The events that were handled: one id a line. It suits one instance; on Cloud Run, take a database in its place.
const lines = existsSync(MEMORY) ? readFileSync(MEMORY, "utf-8").split("\n") : [];
const handled = new Map(lines.map((id) => [id, Promise.resolve()]));

/** Works for an event that is new. A repeat that comes meanwhile waits for the same work. */
function once(id, event) {
  const begin = () => work(event).then(() => appendFileSync(MEMORY, `${id}\n`));
  const forget = (error) => {
    handled.delete(id);
    throw error;
  };
  if (!handled.has(id)) handled.set(id, begin().catch(forget));
  return handled.get(id);
}

/** Whether one of the signatures is ours, and not older than five minutes (Standard Webhooks 1.0.0). */
function isSigned(headers, body) {
  const { "webhook-id": id = "", "webhook-timestamp": sent = "", "webhook-signature": signatures = "" } = headers;
  if (!/^[0-9]{1,12}$/.test(sent) || Math.abs(Date.now() / 1000 - sent) > TOLERANCE_SECONDS) return false;
  const right = createHmac("sha256", key).update(`${id}.${sent}.`).update(body).digest();
  const found = signatures.split(" ").filter((signature) => signature.startsWith("v1,"));
  return found.map((signature) => Buffer.from(signature.slice(3), "base64")).some((one) => isSame(one, right));
}

/** Compared in a time that says nothing about the bytes. */
const isSame = (one, other) => one.length === other.length && timingSafeEqual(one, other);

/** The body's bytes: the signature is about these, not about their JSON. Undefined for a body that is too large. */
async function read(request) {
  const blocks = [];
  let bytes = 0;
  for await (const block of request) {
    bytes += block.length;
    if (bytes > MOST_BYTES) return undefined;
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

const server = createServer(async (request, response) => {
  try {
    const body = await read(request);
    if (!body) return response.writeHead(413, { Connection: "close" }).end();
    if (!isSigned(request.headers, body)) return response.writeHead(401).end();
    await once(request.headers["webhook-id"], JSON.parse(body));
    response.writeHead(204).end();
  } catch (error) {
    console.error(error);
    response.writeHead(500).end(); // the same event comes again
  }
});

server.listen(Number(process.argv[2] ?? process.env.PORT ?? 8073), process.env.HOST ?? "127.0.0.1", () =>
  console.log(`listening on port ${server.address().port}`),
);
