// Prints every file that has ended, once: Pub/Sub pushes the notices, and each push proves with a token who sent it. Node 20 or newer,
// no packages.
//
//   AUDIENCE=http://127.0.0.1:8071 SENDER=push@local-project.iam.gserviceaccount.com node push.mjs 8071
//
// In a second shell, after  eval "$(.venv/bin/python -m local env)"
//
//   gcloud pubsub subscriptions create pushed --topic=completions --push-endpoint=http://127.0.0.1:8071/ \
//     --push-auth-service-account=push@local-project.iam.gserviceaccount.com --push-auth-token-audience=http://127.0.0.1:8071
//
// In Google Cloud the endpoint is the https address of your service, and SENDER an account of your own. The topic's name is
// "$SLUICE_COMPLETIONS_TOPIC". On this machine the tokens are the local cloud's own: give this program the variables of `local env` too.
// With --push-no-wrapper --push-no-wrapper-write-metadata each push is a CloudEvent of HTTP's binary mode: this program takes both.

import { X509Certificate, verify } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";

const { AUDIENCE, SENDER, MEMORY = "handled.txt" } = process.env;
const ISSUER = process.env.SLUICE_TOKEN_ISSUER ?? "https://accounts.google.com";
const CERTIFICATES = process.env.SLUICE_TOKEN_CERTIFICATES ?? "https://www.googleapis.com/oauth2/v1/certs";

/** Your work. */
async function work(attributes, data) {
  if (attributes["ce-type"] !== "sluice.job.finished.v1") return;
  const job = JSON.parse(data);
  console.log(job.verdict, job.file.name);
}

// The notices that were handled: one id a line. It suits one instance; on Cloud Run, take a database in its place.
const lines = existsSync(MEMORY) ? readFileSync(MEMORY, "utf-8").split("\n") : [];
const handled = new Map(lines.map((id) => [id, Promise.resolve()]));

/** Works for a notice that is new. A repeat that comes meanwhile waits for the same work. */
function once(attributes, data) {
  const id = `${attributes["ce-source"]} ${attributes["ce-id"]}`;
  const begin = () => work(attributes, data).then(() => appendFileSync(MEMORY, `${id}\n`));
  const forget = (error) => {
    handled.delete(id);
    throw error;
  };
  if (!handled.has(id)) handled.set(id, begin().catch(forget));
  return handled.get(id);
}

let certificates = { keys: {}, until: 0 };

/** The issuer's certificates by key id, read once an hour: Google publishes new ones well before it signs with them. */
async function keys() {
  if (Date.now() > certificates.until) {
    const answer = await fetch(CERTIFICATES, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(`the certificates: ${answer.status}`);
    certificates = { keys: await answer.json(), until: Date.now() + 3_600_000 };
  }
  return certificates.keys;
}

const json = (part) => JSON.parse(Buffer.from(part, "base64url"));

/** Whether Google signed this token, for this audience and of this account, and it has not expired. */
async function isFromSender(authorization = "") {
  const [head, body, signature] = authorization.replace(/^Bearer /, "").split(".");
  if (!signature) return false;
  const certificate = (await keys())[attempt(() => json(head).kid)];
  if (!certificate) return false;
  const { publicKey } = new X509Certificate(certificate);
  if (!verify("RSA-SHA256", Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, "base64url"))) return false;
  const claims = json(body);
  const isOurs = claims.iss === ISSUER && claims.aud === AUDIENCE && claims.email === SENDER && claims.email_verified === true;
  return isOurs && claims.exp * 1000 > Date.now();
}

/** The value of a function, or undefined where it throws: a stranger's token may be anything. */
function attempt(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Attributes and data: of Pub/Sub's envelope, or of an unwrapped push, whose headers have the attributes. */
async function notice(request) {
  const body = await buffer(request);
  if (request.headers["ce-id"]) return [request.headers, body];
  const { message } = JSON.parse(body);
  return [message.attributes, Buffer.from(message.data, "base64")];
}

const server = createServer(async (request, response) => {
  try {
    if (!(await isFromSender(request.headers.authorization))) return response.writeHead(403).end();
    await once(...(await notice(request)));
    response.writeHead(204).end(); // acknowledges the notice
  } catch (error) {
    console.error(error);
    response.writeHead(500).end(); // Pub/Sub pushes it again
  }
});

server.listen(Number(process.argv[2] ?? process.env.PORT ?? 8071), process.env.HOST ?? "127.0.0.1", () =>
  console.log(`listening on port ${server.address().port}`),
);
