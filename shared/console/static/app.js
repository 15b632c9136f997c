// Live parts of pages: they ask again every few seconds while the page is seen, and say which answer they have.
const REFRESH_MS = 5000;
const token = document.querySelector("meta[name=action-token]").content;
const tags = new WeakMap();

// An error of a refresh must not replace the part that it was for.
htmx.config.noSwap.push("4xx", "5xx");

document.body.addEventListener("htmx:config:request", (event) => {
  const { request, sourceElement } = event.detail.ctx;
  request.headers["x-action-token"] = token;
  const tag = tags.get(sourceElement);
  if (tag && request.method === "GET") request.headers["if-none-match"] = tag;
});

document.body.addEventListener("htmx:after:request", (event) => {
  const { response, sourceElement } = event.detail.ctx;
  const tag = response?.headers?.get?.("etag");
  if (tag) tags.set(sourceElement, tag);
  setOffline(response?.status >= 500);
});

document.body.addEventListener("htmx:error", () => setOffline(true));
window.addEventListener("offline", () => setOffline(true));
window.addEventListener("online", () => setOffline(false));

function setOffline(isOffline) {
  document.getElementById("offline").hidden = !isOffline;
}

// Times stand as dates in the page, so that equal lists are equal texts; people see their age.
const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function showAges() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const age = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const seconds = Math.max(1, Math.floor(Math.abs(age)));
    const [length, unit] = SPANS.find(([length]) => seconds >= length);
    const span = `${Math.floor(seconds / length)} ${unit}`;
    time.title ||= time.textContent;
    const shown = age < 0 && time.className === "due" ? `in ${span}` : `${span} ago`;
    if (time.textContent !== shown) time.textContent = shown; // writing lays the whole table out again
  }
}

function refresh() {
  if (document.visibilityState === "visible") htmx.trigger(document.body, "refresh");
}

showAges();
setInterval(showAges, 1000);
document.body.addEventListener("htmx:after:swap", showAges);
setInterval(refresh, REFRESH_MS);
document.addEventListener("visibilitychange", refresh);

// The sentence about an action is for the page that follows it, not for a reload.
const address = new URL(location.href);
if (address.searchParams.has("told")) {
  address.searchParams.delete("told");
  history.replaceState(history.state, "", address);
}

// The field at fault takes the focus once the browser has followed the fragment of the address.
window.addEventListener("load", () => setTimeout(() => document.querySelector("[aria-invalid]")?.focus()));

// A menu closes by Escape, or by a click beside it.
const closeMenu = () => document.querySelector(".menu[open]")?.removeAttribute("open");
document.addEventListener("click", (event) => event.target.closest(".menu") || closeMenu());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !document.querySelector(".menu[open]")) return;
  document.querySelector(".menu[open] > summary").focus();
  closeMenu();
});

// Copy the line beside the button.
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
document.body.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});
