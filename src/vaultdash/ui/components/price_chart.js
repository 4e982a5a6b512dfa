// Daily prices with the loan's prices as lines (TradingView Lightweight Charts, served from this host).
const library = "/static/vd/lightweight-charts.js";

function load() {
  if (window.LightweightCharts) return Promise.resolve();
  window.vdChartLibrary ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = library;
    script.onload = resolve;
    script.onerror = () => reject(new Error("the chart library could not be loaded"));
    document.head.append(script);
  });
  return window.vdChartLibrary;
}

export default {
  template: `<div class="vd-price-chart"><div ref="chart" class="vd-chart"></div><div class="vd-note" role="status">{{ message }}</div></div>`,
  props: { symbol: String, days: Number },
  data: () => ({ message: "Loading prices …" }),
  async mounted() {
    this.lines = [];
    this.wanted = [];
    this.bars = [];
    this.span = this.days;
    try {
      await load();
    } catch (error) {
      this.message = `No chart: ${error.message}.`;
      return;
    }
    if (!this.$refs.chart) return;
    this.chart = LightweightCharts.createChart(this.$refs.chart, { autoSize: true });
    this.series = this.chart.addSeries(LightweightCharts.AreaSeries, { lineWidth: 2, priceLineStyle: 2 });
    this.observer = new MutationObserver(() => this.dress());
    this.observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    this.dress();
    await this.fetchBars();
  },
  beforeUnmount() {
    this.observer?.disconnect();
    this.chart?.remove();
    this.chart = null;
  },
  methods: {
    token(name) {
      return getComputedStyle(document.body).getPropertyValue(name).trim();
    },
    dress() {
      if (!this.chart) return;
      const gold = this.token("--vd-gold");
      this.chart.applyOptions({
        layout: { background: { color: "transparent" }, textColor: this.token("--vd-muted"), fontSize: 11, attributionLogo: true },
        grid: { vertLines: { visible: false }, horzLines: { color: this.token("--vd-line") } },
        rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.06 } },
        timeScale: { borderColor: this.token("--vd-line") },
        localization: { priceFormatter: (value) => value.toFixed(2) },
      });
      this.series.applyOptions({ lineColor: gold, priceLineColor: gold, topColor: gold + "55", bottomColor: gold + "05" });
      this.drawLines();
    },
    drawLines() {
      if (!this.series) return;
      for (const line of this.lines) this.series.removePriceLine(line);
      this.lines = this.wanted.map((line) =>
        this.series.createPriceLine({
          price: line.price, title: line.title, color: this.token(line.colour), lineStyle: 2, lineWidth: 1, axisLabelVisible: true,
        }),
      );
      const prices = this.wanted.map((line) => line.price);
      this.series.applyOptions({
        autoscaleInfoProvider: (original) => {
          const info = original();
          if (info === null) return null;
          const { minValue, maxValue } = info.priceRange;
          // The call price belongs in the picture; a line very far away would flatten the prices.
          const near = prices.filter((price) => price > minValue * 0.6 && price < maxValue * 1.4);
          return { ...info, priceRange: { minValue: Math.min(minValue, ...near), maxValue: Math.max(maxValue, ...near) } };
        },
      });
    },
    async fetchBars() {
      try {
        const answer = await fetch(`/api/history?symbol=${encodeURIComponent(this.symbol)}&days=${this.span}`);
        const history = await answer.json();
        if (!this.chart) return;
        if (!answer.ok) throw new Error(history.error.message);
        this.bars = history.bars.map((bar) => ({ time: bar.date, value: bar.close }));
        this.series.setData(this.bars);
        this.chart.timeScale().fitContent();
        this.message = this.bars.length
          ? `${this.symbol} daily closes ${history.first} to ${history.last} · ${history.source}`
          : "No daily prices in these days. Import a file with: vault-dash history import FILE.csv";
        if (this.last) this.live(this.last);
      } catch (error) {
        this.message = `No chart: ${error.message}`;
      }
    },
    show(days) {
      this.span = days;
      if (this.chart) this.fetchBars();
    },
    setLines(lines) {
      this.wanted = lines;
      if (this.chart) this.drawLines();
    },
    live(point) {
      this.last = point;
      const end = this.bars.at(-1);
      if (!this.chart || !end || point.time < end.time) return;
      if ((Date.parse(point.time) - Date.parse(end.time)) / 864e5 > 10) return;
      this.series.update(point);
    },
  },
};
