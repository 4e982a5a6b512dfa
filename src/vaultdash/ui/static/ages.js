// Keeps every age on the page true: an element with data-at says how long ago that was, each second.
(() => {
  const words = (seconds) => {
    if (seconds < 90) return `${Math.max(0, Math.floor(seconds))} s ago`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
    if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
    return `${Math.round(seconds / 86400)} days ago`;
  };
  setInterval(() => {
    for (const element of document.querySelectorAll("[data-at]")) {
      if (!element.dataset.at) continue;
      const text = words((Date.now() - Date.parse(element.dataset.at)) / 1000);
      if (element.textContent !== text) element.textContent = text;
    }
  }, 1000);
})();
