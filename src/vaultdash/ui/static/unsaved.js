// Guards what is typed and not saved: an element with data-unsaved stands on the page while there is something.
(() => {
  const unsaved = () => document.querySelector("[data-unsaved]");
  const leave = () =>
    confirm("What you typed is not saved. It stays in this tab until you reload or close it. Leave this page?");
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
      if (leave()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
  // Back and forward have gone already when they are told: the address of the page that asks is put back.
  addEventListener(
    "popstate",
    (event) => {
      const here = unsaved()?.dataset.unsaved;
      if (!here || here === location.pathname || leave()) return;
      event.stopImmediatePropagation();
      history.pushState({ page: here }, "", here);
    },
    true,
  );
})();
