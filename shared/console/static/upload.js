// Uploads: files go from this page straight to the bucket, each in a resumable session of Cloud Storage
// (https://cloud.google.com/storage/docs/resumable-uploads). The page shows them until they are processed.
//
//   sources → uploads → pump → run → attempt (begin, ask, put)      view: rows and their sum
//                                      └ store: sessions outlive the page
//
// Phases of an upload: waiting, working, paused, lost (the page was reloaded: its file must be chosen again), failed,
// sent (it waits for its verdict), ended, bad (ended, and some step failed).

const CHUNK_BYTES = 8 << 20; // Cloud Storage: a multiple of 256 KiB
const MAX_WORKING = 4;
const MAX_FAILURES = 8; // in a row, without a byte between them
const MAX_WAIT_MS = 30_000;
const VIEW_MS = 200;
const SPEED_MS = 5_000;
const FOLLOWED = 100; // files of one request
const KEY_CHARACTERS = 26;
const SHORT_ROWS = 8;
const UNWANTED = [".DS_Store", "Thumbs.db", "desktop.ini"];
const UNSENT = ["waiting", "working", "paused", "lost"];
const OPEN = [...UNSENT, "failed"];

const section = document.getElementById("upload");
const find = (selector) => section.querySelector(selector);
const token = document.querySelector("meta[name=action-token]").content;
const choices = find(".choices");
const list = find(".list");
const [template, said, unfold] = [find("template"), find(".said"), find("[data-act=unfold]")]; // behind the list: found once
const uploads = new Set();
let areAllPaused = false;

class Refused extends Error {} // a repetition cannot help

// ---- the protocol of one session

async function attempt(upload, signal) {
  if (!upload.session) await begin(upload, signal);
  else if (await ask(upload, signal)) return;
  while (!(await put(upload, signal)));
}

async function begin(upload, signal) {
  const { name, type, size, metadata } = upload;
  const asked = { name, size, metadata, ...(type && { content_type: type }) };
  const headers = { "content-type": "application/json", accept: "application/json", "x-action-token": token };
  headers["x-requested-with"] = "XMLHttpRequest"; // Identity-Aware Proxy then answers 401 in place of its sign-in page
  const signed = await call("POST", "/uploads", { headers, body: JSON.stringify(asked), signal });
  if (signed.status !== 200) throw refusal(signed);
  const { url, headers: required, object } = JSON.parse(signed.text);
  const started = await call("POST", url, { headers: required, signal });
  if (started.status !== 201 && started.status !== 200) throw refusal(started);
  Object.assign(upload, { object, session: started.header("location"), since: Date.parse(signed.header("date")) || 0, sent: 0 });
  store.save(upload);
}

async function ask(upload, signal) {
  const headers = { "content-range": `bytes */${upload.size}` };
  return isStored(upload, await call("PUT", upload.session, { headers, signal }));
}

async function put(upload, signal) {
  const first = upload.sent;
  const end = Math.min(first + CHUNK_BYTES, upload.size);
  const onProgress = (bytes) => move(upload, first + bytes);
  const headers = { "content-range": `bytes ${first}-${end - 1}/${upload.size}` };
  const body = upload.file.slice(first, end);
  if (isStored(upload, await call("PUT", upload.session, { headers, body, signal, onProgress }))) return true;
  if (upload.sent <= first) throw new Error("Nothing arrived.");
  return false;
}

function isStored(upload, answer) {
  if (answer.status === 200 || answer.status === 201) {
    move(upload, upload.size);
    upload.sent = upload.size;
    return true;
  }
  if (answer.status === 404 || answer.status === 410) {
    upload.session = "";
    throw new Error("The upload has expired: it begins again.");
  }
  if (answer.status !== 308) throw refusal(answer);
  upload.sent = Number(/-(\d+)$/.exec(answer.header("range") ?? "")?.[1] ?? -1) + 1;
  move(upload, upload.sent);
  return false;
}

function refusal(answer) {
  if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return new Error("The server is busy.");
  if (answer.status === 401) return new Refused("You are signed out: reload the page.");
  const said = answer.header("content-type")?.startsWith("application/json") && JSON.parse(answer.text).message;
  return new Refused(said || `Cloud Storage refused the file (${answer.status}).`);
}

// XMLHttpRequest, because fetch has no progress of uploads.
function call(method, url, { headers = {}, body = null, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (onProgress) request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () =>
      resolve({ status: request.status, text: request.responseText, header: (name) => request.getResponseHeader(name) });
    request.onerror = () => reject(new Error("No answer."));
    request.onabort = () => reject(signal.reason);
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

// ---- the queue

function pump() {
  areAllPaused &&= [...uploads].some((upload) => UNSENT.includes(upload.phase)); // its button is hidden when none is left
  const working = [...uploads].filter((upload) => upload.phase === "working").length;
  const waiting = areAllPaused ? [] : [...uploads].filter((upload) => upload.phase === "waiting");
  waiting.slice(0, Math.max(0, MAX_WORKING - working)).forEach(run);
  show();
}

async function run(upload) {
  const stop = (upload.stop = new AbortController());
  enter(upload, "working");
  try {
    await repeat(upload, stop.signal);
    enter(upload, "sent");
  } catch (error) {
    if (!stop.signal.aborted) enter(upload, "failed", error.message);
  }
  pump();
}

async function repeat(upload, signal) {
  for (let failures = 0; ; ) {
    const before = upload.sent;
    try {
      return await attempt(upload, signal);
    } catch (error) {
      if (signal.aborted || error instanceof Refused) throw error;
      await upload.file.slice(0, 1).arrayBuffer().catch(() => {
        throw new Refused("This file has changed or was moved: choose it again.");
      });
      failures = upload.sent > before ? 1 : failures + (navigator.onLine ? 1 : 0);
      if (failures >= MAX_FAILURES) throw error;
      await rest(upload, failures, error.message, signal);
    }
  }
}

function rest(upload, failures, why, signal) {
  const ms = Math.min(MAX_WAIT_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
  upload.note = navigator.onLine ? `${why} Next try in ${Math.ceil(ms / 1000)} s.` : "No connection. It goes on when it is back.";
  show(upload);
  return new Promise((resolve, reject) => {
    const timer = navigator.onLine ? setTimeout(done, ms) : 0;
    addEventListener("online", done, { once: true });
    signal.addEventListener("abort", () => reject(signal.reason));
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      upload.note = "";
      resolve();
    }
  });
}

function enter(upload, phase, note = "") {
  Object.assign(upload, { phase, note });
  store.save(upload);
  show(upload);
}

function halt(upload, phase) {
  upload.stop?.abort();
  enter(upload, phase);
}

function drop(upload) {
  halt(upload, "dropped");
  if (upload.session && upload.sent < upload.size) call("DELETE", upload.session, {}).catch(() => {}); // 499: cancelled
  uploads.delete(upload);
  store.drop(upload);
  upload.row.remove();
}

function retry(upload) {
  Object.assign(upload, { metadata: upload.session ? upload.metadata : chosen() });
  enter(upload, "waiting");
}

// ---- sources: choose, drop, paste

function add(files) {
  const wanted = [...files].filter((file) => !UNWANTED.includes(file.name));
  const areSomeLost = [...uploads].some((upload) => upload.phase === "lost");
  const added = wanted.map((file) => (areSomeLost && continued(file)) || created(file));
  pump();
  const count = new Set(added).size;
  if (count) say(count === 1 ? `Upload of ${added[0].name} begins.` : `Upload of ${count} files begins.`);
}

function created(file) {
  const { name, size, type, lastModified } = file;
  const path = file.path || file.webkitRelativePath || name;
  return enlist({ file, name, path, size, type, modified: lastModified, metadata: chosen(), phase: "waiting", ...fault(size) });
}

function fault(size) {
  if (!size) return { phase: "failed", isFinal: true, note: "This file is empty." };
  if (size <= Number(section.dataset.maxBytes)) return {};
  return { phase: "failed", isFinal: true, note: `This file has ${bytes(size)}. At most ${section.dataset.limit} are allowed.` };
}

function enlist(fields) {
  const upload = { id: crypto.randomUUID(), session: "", object: "", sent: 0, moved: 0, note: "", ...fields };
  upload.row = template.content.firstElementChild.cloneNode(true);
  upload.row.upload = upload;
  list.append(upload.row);
  uploads.add(upload);
  store.save(upload);
  show(upload);
  return upload;
}

// After a reload the files must be chosen again. Those that were sent are not sent twice.
function continued(file) {
  const path = file.path || file.webkitRelativePath || file.name;
  const same = [...uploads].filter(
    (upload) => !upload.file && upload.name === file.name && upload.size === file.size && upload.modified === file.lastModified,
  );
  const found = same.find((upload) => upload.path === path) ?? (same.length === 1 ? same[0] : null);
  if (found?.phase === "lost") {
    found.file = file;
    enter(found, "waiting");
  }
  return found;
}

function chosen() {
  const metadata = {};
  for (const [key, value] of choices ? new FormData(choices) : []) {
    if (value.trim()) metadata[key] = metadata[key] ? `${metadata[key]},${value}` : value.trim();
  }
  return metadata;
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...transfer.files]; // both are gone after the first await
  add(entries.length ? (await Promise.all(entries.map(within))).flat() : files);
}

async function within(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    return file ? [Object.assign(file, { path: entry.fullPath.replace(/^\//, "") })] : [];
  }
  const reader = entry.createReader();
  const read = () => new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
  const found = [];
  for (let some = await read(); some.length; some = await read()) found.push(...some); // a hundred at a time
  return (await Promise.all(found.map(within))).flat();
}

// ---- the store: an upload outlives its page. The lock of a tab is free once its page is gone.

const store = {
  tab: crypto.randomUUID(),
  key: (upload) => `upload/${store.tab}/${upload.id}`,
  save(upload) {
    if (upload.isFinal || upload.phase === "dropped") return;
    const { name, path, size, type, modified, metadata, session, object, since, sent, phase } = upload;
    try {
      const kept = { name, path, size, type, modified, metadata, session, object, since, sent, phase };
      localStorage.setItem(store.key(upload), JSON.stringify(kept));
    } catch {} // full: this upload cannot go on after a reload
  },
  drop: (upload) => localStorage.removeItem(store.key(upload)),
  tidy: () => [...uploads].some((upload) => OPEN.includes(upload.phase) && !upload.isFinal) || uploads.forEach(store.drop),
  async open() {
    navigator.locks?.request(`upload/${store.tab}`, () => new Promise(() => {}));
    const tabs = new Set(Object.keys(localStorage).map((key) => /^upload\/([^/]+)\//.exec(key)?.[1]));
    for (const tab of tabs) {
      if (!tab || tab === store.tab) continue;
      const signal = AbortSignal.timeout(2000);
      navigator.locks?.request(`upload/${tab}`, { signal }, () => store.adopt(tab)).catch(() => {}); // a tab that still works
    }
  },
  adopt(tab) {
    for (const key of Object.keys(localStorage).filter((key) => key.startsWith(`upload/${tab}/`))) {
      const kept = JSON.parse(localStorage.getItem(key));
      localStorage.removeItem(key);
      const isOpen = OPEN.includes(kept.phase);
      enlist({ ...kept, phase: isOpen ? "lost" : "sent", note: "" });
    }
    follow();
  },
};

// ---- verdicts: one request asks for all files that were sent

let isFollowing = false;

async function follow() {
  if (isFollowing) return;
  isFollowing = true;
  try {
    const sent = [...uploads].filter((upload) => upload.phase === "sent");
    for (let first = 0; first < sent.length; first += FOLLOWED) await askStates(sent.slice(first, first + FOLLOWED));
  } catch {
    // The next round asks again; app.js says that the connection is lost.
  } finally {
    isFollowing = false;
  }
}

async function askStates(some) {
  const key = (upload) => upload.object.slice(0, KEY_CHARACTERS);
  const since = Math.min(...some.map((upload) => upload.since));
  const answer = await fetch(`/follow?since=${since}&keys=${some.map(key)}`, { headers: { accept: "application/json" } });
  const states = answer.ok ? await answer.json() : {};
  for (const upload of some.filter((upload) => states[key(upload)])) {
    upload.state = states[key(upload)];
    if (upload.state.ended) enter(upload, ["bad", "warn"].includes(upload.state.colour) ? "bad" : "ended");
    else show(upload);
  }
}

// ---- the view

const changed = new Set();
const speeds = []; // [time, bytes sent by then]
let timer = 0;
let allMoved = 0;
let isUnfolded = false;
let quarter = 0;

function move(upload, bytes) {
  allMoved += Math.max(0, bytes - upload.moved);
  upload.moved = bytes;
  show(upload);
}

function show(upload) {
  if (upload) changed.add(upload);
  timer ||= setTimeout(draw, VIEW_MS);
}

function draw() {
  timer = 0;
  changed.forEach(drawRow);
  changed.clear();
  drawSum();
}

const MAIN = { waiting: "Pause", working: "Pause", paused: "Resume", lost: "Choose file", failed: "Retry" };

function drawRow(upload) {
  const { row, phase, state, name } = upload;
  const part = (selector) => row.querySelector(selector);
  const isSent = ["sent", "ended", "bad"].includes(phase);
  row.dataset.phase = phase;
  if (isSent && !part("a")) part(".name").replaceChildren(link(upload));
  else if (!isSent) write(part(".name"), upload.path);
  write(part(".note"), note(upload));
  part("progress").hidden = isSent || phase === "waiting" || upload.isFinal;
  part("progress").value = upload.moved / (upload.size || 1);
  part("progress").ariaLabel = `Upload of ${name}`;
  part(".chip").hidden = !isSent;
  part(".chip").className = `chip ${state?.colour ?? "wait"}`;
  write(part(".chip"), state?.word ?? "uploaded");
  label(part("[data-act=main]"), upload.isFinal ? "" : MAIN[phase], name);
  label(part("[data-act=cancel]"), isSent || upload.isFinal ? "Remove" : "Cancel", name);
  if (!part(".thumb").firstChild) part(".thumb").textContent = /\.(\w{1,4})$/.exec(name)?.[1] ?? "";
  if (state?.preview && !upload.hasPicture) picture(part(".thumb"), state.preview);
  upload.hasPicture = Boolean(state?.preview);
}

function note({ phase, note, state, moved, size }) {
  if (note) return note;
  if (phase === "sent" || phase === "ended" || phase === "bad") return state?.reason ?? "";
  if (phase === "lost") return "Choose the file again to go on.";
  if (phase === "waiting") return bytes(size);
  return `${bytes(moved)} of ${bytes(size)}${phase === "paused" ? ", paused" : ""}`;
}

function link({ object, path }) {
  const made = document.createElement("a");
  made.href = `/files/${object.split("/").map(encodeURIComponent).join("/")}`;
  made.target = "_blank"; // uploads end with their page
  made.textContent = path;
  return made;
}

function picture(place, address) {
  const made = Object.assign(new Image(40, 40), { src: address, alt: "" });
  made.onload = () => place.replaceChildren(made);
}

function label(button, text, name) {
  button.hidden = !text;
  write(button, text ?? "");
  button.ariaLabel = `${text} ${name}`;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function drawSum() {
  const all = [...uploads];
  const count = (...phases) => all.filter((upload) => phases.includes(upload.phase)).length;
  const [failed, lost] = [count("failed"), count("lost")];
  const open = count(...UNSENT);
  const sum = (key) => all.reduce((total, upload) => total + (upload.isFinal ? 0 : upload[key]), 0);
  find(".sent").hidden = !all.length;
  write(find(".line"), open ? progressLine(all.length, open, failed) : endLine(all, failed, count));
  find(".lost").hidden = !lost;
  write(find(".lost"), `The page was reloaded. Choose the same files or folder again to go on with ${lost === 1 ? "1 file" : `${lost} files`}.`);
  find(".whole").value = sum("moved") / (sum("size") || 1);
  find(".whole").hidden = !open;
  drawActs(all, open, lost);
  announce(all.length, open, failed, count("sent"));
  store.tidy();
  if (count("working")) timer ||= setTimeout(draw, 1000); // the speed falls while nothing arrives
}

function drawActs(all, open, lost) {
  const act = (name) => find(`[data-act=${name}]`);
  write(act("pause-all"), areAllPaused ? "Resume all" : "Pause all");
  act("pause-all").hidden = open === lost;
  act("cancel-all").hidden = !open;
  act("retry-all").hidden = !all.some((upload) => upload.phase === "failed" && !upload.isFinal);
  act("clear").hidden = open > 0 || !all.length;
  unfold.hidden = all.length <= SHORT_ROWS;
  unfold.ariaExpanded = String(isUnfolded);
  write(unfold, isUnfolded ? "Show only what needs attention" : `Show all ${all.length}`);
  list.classList.toggle("short", !isUnfolded && all.length > SHORT_ROWS);
}

function progressLine(total, open, failed) {
  const now = performance.now();
  speeds.push([now, allMoved]);
  while (speeds[0][0] < now - SPEED_MS) speeds.shift();
  const speed = (allMoved - speeds[0][1]) / Math.max(0.5, (now - speeds[0][0]) / 1000);
  const parts = [`${total - open - failed} of ${total} uploaded`, failed && `${failed} failed`];
  if (areAllPaused) parts.push("paused");
  else if (speed) parts.push(`${bytes(speed)}/s`);
  return parts.filter(Boolean).join(" · ");
}

function endLine(all, failed, count) {
  const done = all.filter(({ phase, state }) => phase === "ended" && state.colour === "good").length;
  const other = count("ended") - done; // skipped, replaced, deleted
  const parts = [`${all.length - failed} uploaded`, failed && `${failed} not uploaded`, count("sent") && `${count("sent")} in work`];
  parts.push(done && `${done} done`, other && `${other} not processed`, count("bad") && `${count("bad")} with failures`);
  return parts.filter(Boolean).join(" · ");
}

// For screen readers: a sentence at each quarter, not at each change.
function announce(total, open, failed, inWork) {
  const done = total - open;
  const reached = open ? Math.floor((4 * done) / total) : 4 + (inWork ? 0 : 1);
  if (total && reached > quarter) {
    const left = failed ? ` ${failed} failed.` : "";
    say(reached > 4 ? `All ${total} files are processed.` : open ? `${done} of ${total} uploaded.${left}` : `Uploads are done.${left}`);
  }
  quarter = total ? reached : 0;
}

function say(text) {
  said.textContent = text;
}

function bytes(number) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; number >= 999.5 && unit < units.length - 1; unit++) number /= 1000;
  return `${unit && number < 99.5 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
}

// ---- what people do

const ACTS = {
  files: () => find(".pick-files").click(),
  folder: () => find(".pick-folder").click(),
  unfold: () => (isUnfolded = !isUnfolded),
  clear: () => uploads.forEach(drop),
  "retry-all": () => uploads.forEach((upload) => upload.phase === "failed" && !upload.isFinal && retry(upload)),
  "cancel-all": () => uploads.forEach((upload) => OPEN.includes(upload.phase) && drop(upload)),
  "pause-all": () => {
    areAllPaused = !areAllPaused;
    if (areAllPaused) uploads.forEach((upload) => upload.phase === "working" && halt(upload, "waiting"));
  },
  cancel: (upload, button) => {
    (button.closest("li").nextElementSibling?.querySelector("[data-act=cancel]") ?? find("[data-act=files]")).focus();
    drop(upload);
  },
  main: (upload) => {
    if (upload.phase === "lost") ACTS.files();
    else if (upload.phase === "paused") enter(upload, "waiting");
    else if (upload.phase === "failed") retry(upload);
    else halt(upload, "paused");
  },
};

function start() {
  section.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    ACTS[button.dataset.act](button.closest("li")?.upload, button);
    pump();
  });
  for (const picker of [find(".pick-files"), find(".pick-folder")]) {
    picker.addEventListener("change", () => {
      add(picker.files);
      picker.value = ""; // the same file may be chosen again
    });
  }
  choices?.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) event.preventDefault();
    add(event.clipboardData?.files ?? []);
  });
  addEventListener("beforeunload", (event) => {
    if ([...uploads].some((upload) => ["waiting", "working"].includes(upload.phase))) event.preventDefault();
  });
  document.body.addEventListener("refresh", follow);
  acceptDrops();
  find(".door").hidden = false;
  store.open();
}

function acceptDrops() {
  const hint = find(".drop-here");
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hint.hidden = false;
  });
  addEventListener("dragleave", (event) => (hint.hidden ||= !event.relatedTarget));
  addEventListener("drop", (event) => {
    hint.hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    dropped(event.dataTransfer);
  });
}

start();
