// Browser notifications: whether they can work here, and turning them on and off. Results go to the element that asked, as events.
window.vdPush = (() => {
  const WORKER = "/service-worker.js";
  const SUBSCRIPTIONS = "/api/alerts/push/subscriptions";

  // Why they cannot work here, as a word the page has a sentence for; null when nothing is known to stand against it.
  function hindrance() {
    if (!window.isSecureContext) return "insecure";
    if (!("serviceWorker" in navigator)) return "no_worker";
    if (!("PushManager" in window) || !("Notification" in window)) {
      const isPhone = /iPhone|iPad/.test(navigator.userAgent);
      return isPhone ? "home_screen" : "no_push";
    }
    if (Notification.permission === "denied") return "denied";
    return null;
  }

  async function state() {
    const found = { hindrance: hindrance(), permission: window.Notification ? Notification.permission : "", mark: null };
    if (found.hindrance === null) {
      const registration = await navigator.serviceWorker.getRegistration("/");
      const subscription = registration && (await registration.pushManager.getSubscription());
      if (subscription) found.mark = await markOf(subscription.endpoint);
    }
    return found;
  }

  async function tell(box) {
    say(box, { event: "state", state: await state() });
  }

  async function turnOn(inside) {
    const box = inside.closest("[data-push]"); // before anything is awaited: the event forgets its target
    let result;
    try {
      result = await subscribe(nameOf());
    } catch (error) {
      result = { problem: reason(error), said: String(error.message || error).slice(0, 200) };
    }
    say(box, { event: "done", ...result, state: await state() });
  }

  function say(box, detail) {
    if (box) box.dispatchEvent(new CustomEvent("vdpush", { detail }));
  }

  function nameOf() {
    const agent = navigator.userAgent;
    const browsers = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
    const systems = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS", "Mac"], ["Linux", "Linux"]];
    const named = (known) => (known.find(([mark]) => agent.includes(mark)) || [])[1];
    return `${named(browsers) || "A browser"} on ${named(systems) || "a device"}`;
  }

  async function subscribe(name) {
    const against = hindrance();
    if (against) return { problem: against };
    const permission = await Notification.requestPermission();
    if (permission !== "granted") return { problem: permission === "denied" ? "denied" : "not_asked" };
    await navigator.serviceWorker.register(WORKER, { scope: "/" });
    const registration = await navigator.serviceWorker.ready;
    const answer = await fetch("/api/alerts/push/key");
    if (!answer.ok) return { problem: "server", said: await sentence(answer) };
    const { key } = await answer.json();
    const old = await registration.pushManager.getSubscription();
    if (old && keyOf(old) !== key) await old.unsubscribe(); // made for another installation
    const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const kept = await send("POST", { ...made.toJSON(), name });
    if (!kept.ok) {
      await made.unsubscribe();
      return { problem: "server", said: await sentence(kept) };
    }
    return { problem: null, channel: (await kept.json()).id };
  }

  async function turnOff(inside) {
    const box = inside.closest("[data-push]");
    const registration = await navigator.serviceWorker.getRegistration("/");
    const subscription = registration && (await registration.pushManager.getSubscription());
    if (subscription) {
      await send("DELETE", { endpoint: subscription.endpoint });
      await subscription.unsubscribe();
    }
    say(box, { event: "done", problem: null, channel: null, state: await state() });
  }

  function reason(error) {
    if (error.name === "NotAllowedError") return "denied";
    if (error.name === "SecurityError") return "certificate";
    if (error.name === "AbortError") return "no_service";
    return "unknown";
  }

  async function sentence(answer) {
    try {
      return (await answer.json()).error.message;
    } catch {
      return `the server answered ${answer.status}`;
    }
  }

  function send(method, body) {
    return fetch(SUBSCRIPTIONS, {
      method,
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  function keyOf(subscription) {
    const bytes = new Uint8Array(subscription.options.applicationServerKey || new ArrayBuffer(0));
    return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  // A fingerprint by which the server finds the subscription; the address itself stays between browser and API.
  async function markOf(endpoint) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  return { state, tell, turnOn, turnOff };
})();
