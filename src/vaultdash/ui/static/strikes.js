// Strikes on a payoff chart can be dragged: while one is, its chart tells the price under the pointer.
window.vdDragStrikes = (id, tries = 40) => {
  const chart = window.getElement?.(id)?.chart;
  if (!chart) {
    if (tries > 0) setTimeout(() => window.vdDragStrikes(id, tries - 1), 250);
    return;
  }
  if (chart.vdDragged) return;
  chart.vdDragged = true;
  let place = null;
  let told = 0;
  const tell = (event) => {
    const found = chart.convertFromPixel({ gridIndex: 0 }, [event.offsetX, event.offsetY]);
    const detail = { place, price: found[0] };
    chart.getDom().dispatchEvent(new CustomEvent("strike", { detail }));
  };
  chart.on("mousedown", { seriesName: "strikes" }, (event) => {
    place = event.data.place;
  });
  const area = chart.getZr();
  area.on("mousemove", (event) => {
    if (place === null || performance.now() - told < 70) return;
    told = performance.now();
    tell(event);
  });
  area.on("mouseup", (event) => {
    if (place !== null) tell(event);
    place = null;
  });
  area.on("globalout", () => {
    place = null;
  });
};
