// Keeps every age on the page true: an element with data-at says how long ago that was, each second; one with
// data-wait says how long it has been waiting, from when it was first seen with that value.
(() => {
  const words = (seconds) => {
    if (seconds < 90) return `${Math.max(0, Math.floor(seconds))} s ago`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
    if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
    return `${Math.round(seconds / 86400)} days ago`;
  };
  const show = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const begun = new WeakMap();
  setInterval(() => {
    for (const element of document.querySelectorAll("[data-at]")) {
      if (element.dataset.at) show(element, words((Date.now() - Date.parse(element.dataset.at)) / 1000));
    }
    for (const element of document.querySelectorAll("[data-wait]")) {
      const known = begun.get(element);
      if (known?.what !== element.dataset.wait) begun.set(element, { what: element.dataset.wait, at: Date.now() });
      else show(element, `${Math.round((Date.now() - known.at) / 1000)} s`);
    }
  }, 1000);
})();
