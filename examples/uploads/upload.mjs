// Uploads a file by a signed URL and waits for its verdict. Node 20 or newer, no packages.
//
//   node upload.mjs photo.jpg image/jpeg
//
// On this machine: make up, and in this shell  eval "$(.venv/bin/python -m local env)"
// In Google Cloud: eval "$(./deploy.sh env --project my-project)"; export IDENTITY_TOKEN=$(gcloud auth print-identity-token)

import { randomUUID } from "node:crypto";
import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const { SLUICE_ISSUER_URL, IDENTITY_TOKEN } = process.env;
const authorization = IDENTITY_TOKEN ? { Authorization: `Bearer ${IDENTITY_TOKEN}` } : {};

/** A request, repeated while the network or the server fails. Every request here may be repeated. */
async function patiently(url, options) {
  for (let seconds = 1; ; seconds = Math.min(seconds * 2, 30)) {
    const answer = await fetch(url, options).catch((error) => error);
    if (!(answer instanceof Error) && answer.status < 500 && answer.status !== 429) return answer;
    const asked = answer instanceof Error ? 0 : Number(answer.headers.get("retry-after") ?? 0);
    console.error(`again in ${Math.max(seconds, asked)} s:`, answer.cause ?? answer.status ?? answer);
    await pause(Math.max(seconds, asked) * 1000);
  }
}

/** The answer, if it is a success; otherwise the program ends with the server's words. */
async function expect(answer) {
  if (!answer.ok) throw new Error(`status ${answer.status}: ${await answer.text()}`);
  return answer;
}

/** Asks for a URL that creates one object, and uses it. Gives the file's status URL. */
async function upload(path, type) {
  const file = await openAsBlob(path); // read while it is sent
  const headers = { "Content-Type": "application/json", "Idempotency-Key": randomUUID(), ...authorization };
  const body = JSON.stringify({ name: basename(path), content_type: type, size: file.size });
  const ticket = await (await expect(await patiently(SLUICE_ISSUER_URL, { method: "POST", headers, body }))).json();
  const sent = await patiently(ticket.url, { method: ticket.method, headers: ticket.headers, body: file });
  // 412: the object exists. The URL is this program's own, so an earlier request stored the file and its answer was lost.
  if (sent.status !== 412) await expect(sent);
  return ticket.status_url;
}

/** Asks until the file has its verdict. With the ETag of the last answer, one without news has no body. */
async function verdict(url) {
  const headers = { ...authorization };
  for (let seconds = 0.25; ; seconds = Math.min(seconds * 1.5, 30)) {
    const answer = await patiently(url, { headers });
    if (answer.status !== 304) {
      const file = await (await expect(answer)).json();
      if (!["accepted", "processing"].includes(file.state)) return file;
      headers["If-None-Match"] = answer.headers.get("etag");
    }
    await pause(seconds * 1000);
  }
}

const [path, type = "application/octet-stream"] = process.argv.slice(2);
const file = await verdict(await upload(path, type));
console.log(file.state, file.object);
for (const step of file.steps) console.log(step.step, step.verdict, step.reason, ...step.outputs.map((output) => output.url));
process.exitCode = file.state === "succeeded" ? 0 : 1;
