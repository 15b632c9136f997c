// Prints every file that has ended, once. Node 20 or newer, no packages: it speaks Pub/Sub's REST API.
//
//   node pull.mjs completions
//
// The argument is a subscription. On this machine: make up, and in this shell  eval "$(.venv/bin/python -m local env)"
// In Google Cloud: eval "$(./deploy.sh env --project my-project)", then  node pull.mjs "$SLUICE_COMPLETIONS_TOPIC"
// The token is that of the machine's account on Google Cloud, elsewhere gcloud's. Google's package @google-cloud/pubsub streams instead
// of asking again and again, and extends the deadlines of long work.

import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const isLocal = Boolean(process.env.PUBSUB_EMULATOR_HOST);
const root = isLocal ? process.env.CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB : "https://pubsub.googleapis.com/";
const subscription = `projects/${process.env.GOOGLE_CLOUD_PROJECT}/subscriptions/${process.argv[2]}`;
const memory = process.env.MEMORY ?? "handled.txt";

/** Your work. */
async function work(attributes, data) {
  if (attributes["ce-type"] !== "sluice.job.finished.v1") return;
  const job = JSON.parse(data);
  console.log(job.verdict, job.file.name, ...job.steps.flatMap((step) => step.outputs.map((output) => output.object)));
}

// The notices that were handled: one id a line. It suits one program; several need a database in its place.
const handled = new Set(existsSync(memory) ? readFileSync(memory, "utf-8").split("\n") : []);

/** Work for a notice that is new. After a crash before the last line it is delivered, and worked for, again. */
async function once(attributes, data) {
  const id = `${attributes["ce-source"]} ${attributes["ce-id"]}`;
  if (handled.has(id)) return;
  await work(attributes, data);
  handled.add(id);
  appendFileSync(memory, `${id}\n`);
}

const METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";
let token = { value: "", until: 0 };

async function accessToken() {
  if (Date.now() < token.until) return token.value;
  const asked = fetch(METADATA, { headers: { "Metadata-Flavor": "Google" }, signal: AbortSignal.timeout(1000) });
  const value = await asked.then(
    async (answer) => (await answer.json()).access_token,
    () => String(execFileSync("gcloud", ["auth", "print-access-token"])).trim(),
  );
  token = { value, until: Date.now() + 240_000 };
  return value;
}

async function call(method, body) {
  const headers = { "Content-Type": "application/json" };
  if (!isLocal) headers.Authorization = `Bearer ${await accessToken()}`;
  const answer = await fetch(`${root}v1/${subscription}:${method}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw Object.assign(new Error(`${answer.status} ${await answer.text()}`), { status: answer.status });
  return answer.json();
}

/** Handles one message; gives whether it may be acknowledged. */
async function isDone({ message }) {
  try {
    await once(message.attributes, Buffer.from(message.data, "base64"));
    return true;
  } catch (error) {
    console.error(`notice ${message.attributes["ce-id"]}:`, error);
    return false;
  }
}

/** Ten at a time, so that all are done before the first one's deadline. What fails is left to it, and comes again. */
async function pull() {
  const { receivedMessages = [] } = await call("pull", { maxMessages: 10 });
  const ackIds = [];
  for (const received of receivedMessages) if (await isDone(received)) ackIds.push(received.ackId);
  if (ackIds.length) await call("acknowledge", { ackIds });
}

let stopped = false;
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => (stopped = true));

let seconds = 1;
while (!stopped) {
  try {
    await pull();
    seconds = 1;
  } catch (error) {
    if ([400, 403, 404].includes(error.status)) throw error; // no repeat mends it
    console.error(`again in ${seconds} s:`, error.message);
    await pause(seconds * 1000);
    seconds = Math.min(seconds * 2, 60);
  }
}
