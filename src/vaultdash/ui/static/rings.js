// The ring on a heat map lies over its canvas: moving it draws no cell anew.
window.vdRing = (id, column, row, tries = 40) => {
  const chart = window.getElement?.(id)?.chart;
  if (!chart) {
    if (tries > 0) setTimeout(() => window.vdRing(id, column, row, tries - 1), 250);
    return;
  }
  const place = () => {
    const at = chart.convertToPixel({ seriesIndex: 0 }, chart.vdHere);
    chart.vdRing.hidden = !at;
    if (at) chart.vdRing.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
  };
  chart.vdHere = [column, row];
  if (!chart.vdRing) {
    const inside = chart.getDom();
    chart.vdRing = inside.querySelector(".vd-ring") ?? inside.appendChild(document.createElement("div"));
    chart.vdRing.className = "vd-ring";
    chart.on("finished", place); // also after another size
  }
  place();
};
