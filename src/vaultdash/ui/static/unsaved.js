// Guards what is typed and not saved: an element with data-unsaved stands on the page while there is something.
(() => {
  const unsaved = () => document.querySelector("[data-unsaved]");
  addEventListener("beforeunload", (event) => {
    if (!unsaved()) return;
    event.preventDefault();
    event.returnValue = "";
  });
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.("a[href]");
      if (!link || link.target === "_blank" || link.hasAttribute("download") || !unsaved()) return;
      if (link.getAttribute("href").startsWith("#")) return;
      if (confirm("What you typed is not saved. It stays in this tab until you reload or close it. Leave this page?")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
})();
