// Shows alerts while no page is open, tells the server that they were shown, and opens the page they are about.
const KEY = "/api/alerts/push/key";
const SUBSCRIPTIONS = "/api/alerts/push/subscriptions";
const RECEIPT_PAUSES = [0, 1000, 4000, 15000]; // before each try, in milliseconds

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

self.addEventListener("notificationclick", (event) => {
  const { path, key } = event.notification.data || {};
  event.notification.close();
  event.waitUntil(event.action === "acknowledge" ? acknowledge(key, path) : open(path));
});

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

function read(data) {
  let told = null;
  try {
    told = data && data.json();
  } catch {
    told = null; // not ours, or broken: something is shown all the same
  }
  return told && typeof told === "object" ? told : {};
}

async function show(told) {
  const about = told.severity === "call" || told.severity === "warning";
  await self.registration.showNotification(String(told.title || "Vault Dashboard"), {
    body: String(told.body || "Something happened. Open the dashboard to see what."),
    tag: String(told.key || "vault-dashboard"), // a repeat of the same message takes the place of the first
    renotify: false,
    requireInteraction: told.severity === "call",
    icon: "/static/vd/icon.svg",
    data: { path: own(told.path) || "/alerts", key: told.key || null },
    actions: about && told.key ? [{ action: "acknowledge", title: "I know" }] : [],
  });
  const receipt = own(told.receipt_path);
  if (receipt) await confirm(receipt);
}

async function confirm(path) {
  for (const pause of RECEIPT_PAUSES) {
    if (pause) await new Promise((done) => setTimeout(done, pause));
    try {
      const answer = await post(path);
      if (answer.status < 500) return;
    } catch {
      // away for a moment: the next try, or the next channel
    }
  }
}

async function acknowledge(key, path) {
  try {
    const answer = await post(`/api/alerts/${encodeURIComponent(key)}/acknowledge`);
    if (answer.ok) return;
  } catch {
    // then the page says what is wrong
  }
  await open(path);
}

async function open(path) {
  const target = new URL(own(path) || "/alerts", self.location.origin);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of windows) {
    if (new URL(page.url).pathname === target.pathname) return page.focus();
  }
  return self.clients.openWindow(target.href);
}

async function renew(event) {
  const old = event.oldSubscription;
  const key = (old && old.options.applicationServerKey) || (await (await fetch(KEY)).json()).key;
  const made =
    event.newSubscription ||
    (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  await post(SUBSCRIPTIONS, { ...made.toJSON(), replaces: old ? old.endpoint : null });
}

function post(path, body) {
  return fetch(path, {
    method: "POST",
    credentials: "same-origin",
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
}

// The path of an address of our own; nothing when it leads elsewhere.
function own(path) {
  if (typeof path !== "string") return null;
  try {
    const url = new URL(path, self.location.origin);
    return url.origin === self.location.origin ? url.pathname + url.search : null;
  } catch {
    return null;
  }
}
