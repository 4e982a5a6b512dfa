// LTV over time with the limits of the time, gaps as gaps (TradingView Lightweight Charts, served from this host).
const library = "/static/vd/lightweight-charts.js";
const HOUR = 3600;
const FEW = 60; // records of which each is shown as a point
const LIMITS = [
  { field: "warning_ltv", title: "warning", colour: "--vd-warning", style: 0 },
  { field: "margin_call_ltv", title: "margin call", colour: "--vd-call", style: 3 },
  { field: "close_out_ltv", title: "close-out", colour: "--vd-close", style: 0 },
];
const COUNTINGS = {
  lender_ltv: "as the lender counts",
  ltv_after_payment: "after payment",
  ltv_credited: "options credited",
};

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

const seconds = (iso) => Math.floor(Date.parse(iso) / 1000);
const percent = (value) => `${(value * 100).toFixed(1).replace("-", "−")} %`;
const newYork = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});
const moment = (at) => `${newYork.format(new Date(at)).replace(",", "")} New York`;

export default {
  template: `<div class="vd-price-chart">
    <div ref="chart" :class="['vd-chart', small ? 'short' : 'tall']" role="img" :aria-label="label" v-show="!empty"></div>
    <div v-if="empty" class="vd-empty">{{ empty }}</div>
    <div v-show="!empty && !small" class="vd-note vd-read">{{ read || '\u00a0' }}</div>
    <div class="vd-note" role="status">{{ message }}</div>
  </div>`,
  props: { portfolio: String, days: String, counting: String, small: Boolean },
  data: () => ({ message: "Loading LTV …", read: "", empty: "", label: "LTV over time" }),
  async mounted() {
    this.wanted = { portfolio: this.portfolio, days: this.days, counting: this.counting };
    this.records = [];
    this.events = [];
    this.asked = 0;
    try {
      await load();
    } catch (error) {
      this.message = `No chart: ${error.message}.`;
      return;
    }
    if (!this.$refs.chart) return;
    const { createChart, createSeriesMarkers, LineSeries } = LightweightCharts;
    this.chart = createChart(this.$refs.chart, { autoSize: true });
    const line = { priceLineVisible: false, crosshairMarkerRadius: 3, priceFormat: { type: "custom", formatter: percent, minMove: 0.0001 } };
    this.limits = LIMITS.map((limit) =>
      this.chart.addSeries(LineSeries, { ...line, lineWidth: 1, lineType: 1, lineStyle: limit.style, crosshairMarkerVisible: false, lastValueVisible: true, title: limit.title }),
    );
    this.plain = this.chart.addSeries(LineSeries, { ...line, lineWidth: 1, lastValueVisible: false });
    this.series = this.chart.addSeries(LineSeries, { ...line, lineWidth: 2 });
    this.markers = createSeriesMarkers(this.series, []);
    // the close-out limit belongs in the picture when LTV comes near it; else it would flatten what happened
    this.limits[2].applyOptions({ autoscaleInfoProvider: (original) => (this.highest > this.near ? original() : null) });
    this.chart.subscribeCrosshairMove((move) => this.say(move));
    this.observer = new MutationObserver(() => this.dress());
    this.observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    await this.fetchRecords();
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
    async fetchRecords() {
      const turn = ++this.asked;
      const begun = performance.now();
      const { portfolio, days } = this.wanted;
      try {
        const query = `days=${encodeURIComponent(days)}&portfolio=${encodeURIComponent(portfolio)}`;
        const answer = await fetch(`/api/history/ltv?${query}`);
        const history = await answer.json();
        if (!this.chart || turn !== this.asked) return;
        if (!answer.ok) throw new Error(history.error.message);
        for (const row of history.records) row.time = seconds(row.at);
        this.records = history.records;
        this.gaps = history.gaps;
        this.draw();
        this.chart.timeScale().fitContent();
        this.tell();
        requestAnimationFrame(() => setTimeout(() => performance.measure("vd-ltv-drawn", { start: begun }))); // after the paint
      } catch (error) {
        if (turn === this.asked) this.message = `No chart: ${error.message}`;
      }
    },
    draw() {
      const { counting } = this.wanted;
      const before = new Set(this.gaps.map((gap) => gap.start));
      const rows = this.records.filter((row, index) => !(this.records[index + 1]?.time <= row.time)); // of one second the last
      const broken = rows.map((row) => before.has(row.at));
      const alone = rows.filter((_, index) => broken[index] && (index === 0 || broken[index - 1]));
      const points = (field, colour) =>
        rows.map((row, index) => ({
          time: row.time,
          value: row[field] ?? undefined,
          ...(broken[index] ? { color: "transparent" } : row.stale ? { color: colour } : {}),
        }));
      const muted = this.token("--vd-muted");
      const silent = this.gaps.flatMap((gap) => {
        const hours = [];
        for (let at = seconds(gap.start) + HOUR; at < seconds(gap.end); at += HOUR) hours.push({ time: at });
        return hours;
      });
      const first = rows.length ? rows[0].time : 0;
      const inside = silent.filter((hour) => hour.time > first); // a gap may have begun before these days
      const steps = (field) =>
        rows.flatMap((row, index) => {
          const turns = index === 0 || index === rows.length - 1 || broken[index] || broken[index - 1] || row[field] !== rows[index - 1][field];
          return turns ? [{ time: row.time, value: row[field], ...(broken[index] ? { color: "transparent" } : {}) }] : [];
        });
      this.limits.forEach((series, index) => series.setData(steps(LIMITS[index].field)));
      this.plain.setData(rows.some((row) => row[counting] !== row.ltv) ? points("ltv", muted) : []);
      this.series.setData([...points(counting, muted), ...inside].sort((one, other) => one.time - other.time));
      this.series.applyOptions({ pointMarkersVisible: rows.length <= FEW });
      this.rows = new Map(rows.map((row) => [row.time, row]));
      this.alone = alone;
      this.highest = rows.reduce((highest, row) => Math.max(highest, row.ltv, row[counting] ?? 0), 0);
      const last = rows.at(-1);
      this.near = last ? last.margin_call_ltv - 0.02 : 1;
      this.dress();
    },
    dress() {
      if (!this.chart) return;
      const text = this.token("--vd-muted");
      this.chart.applyOptions({
        layout: { background: { color: "transparent" }, textColor: text, fontSize: 11, attributionLogo: true },
        grid: { vertLines: { visible: false }, horzLines: { color: this.token("--vd-line") } },
        rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.08 } },
        timeScale: { borderColor: this.token("--vd-line"), timeVisible: true, secondsVisible: false, minBarSpacing: 0.005 },
        localization: { timeFormatter: (at) => moment(at * 1000), priceFormatter: percent },
      });
      this.limits.forEach((series, index) => series.applyOptions({ color: this.token(LIMITS[index].colour) }));
      this.plain.applyOptions({ color: text });
      this.series.applyOptions({ color: this.token("--vd-gold") });
      this.mark();
    },
    mark() {
      if (!this.rows) return;
      const times = [...this.rows.keys()];
      const nearest = (at) => {
        let [low, high] = [0, times.length - 1];
        while (high - low > 1) {
          const middle = (low + high) >> 1;
          if (times[middle] <= at) low = middle;
          else high = middle;
        }
        return Math.abs(times[high] - at) < Math.abs(times[low] - at) ? times[high] : times[low];
      };
      const known = this.events.map((event) => ({ ...event, time: seconds(event.at) })).filter((event) => times.length && event.time >= times[0] - HOUR);
      const named = new Map();
      for (const event of known) {
        const time = nearest(event.time);
        const marker = { time, position: event.raised ? "aboveBar" : "belowBar", shape: event.raised ? "arrowDown" : "arrowUp" };
        named.set(`${time} ${event.raised}`, { ...marker, color: this.token(event.colour), text: this.small ? "" : event.text });
      }
      const told = new Set([...named.values()].map((marker) => marker.time));
      const round = { position: "inBar", shape: "circle", size: 0.5 };
      const crossings = this.records.filter((row) => row.kind === "crossing").map((row) => row.time);
      const others = crossings.filter((time) => this.rows.has(time) && !told.has(time));
      const all = [
        ...named.values(),
        ...others.map((time) => ({ ...round, time, color: this.token("--vd-warning") })),
        ...this.alone.map((row) => ({ ...round, time: row.time, color: this.token("--vd-gold") })),
      ];
      this.markers.setMarkers(all.sort((one, other) => one.time - other.time));
    },
    tell() {
      const { counting } = this.wanted;
      const last = this.records.at(-1);
      this.empty = last ? "" : this.gaps.length
        ? `No record in these days: the last one is of ${moment(this.gaps[0].start)}.`
        : "No record yet. The first is written with the first price of the hour; then one every hour, and one whenever a limit is crossed.";
      if (!last) {
        this.message = "";
        return;
      }
      const missing = this.gaps.length
        ? `${this.gaps.length === 1 ? "one gap" : `${this.gaps.length} gaps`}, the longest ${Math.round(Math.max(...this.gaps.map((gap) => gap.hours)))} h`
        : "no gap";
      const count = this.records.length.toLocaleString("en-US");
      this.label = `LTV ${COUNTINGS[counting]}, ${count} records, last ${percent(last[counting] ?? last.ltv)}`;
      this.message = `${count} ${this.records.length === 1 ? "record" : "records"} since ${moment(this.records[0].at)} · ${missing} · price from ${last.source} · axis in UTC`;
    },
    say(move) {
      const row = this.rows?.get(move.time);
      if (!row) {
        this.read = "";
        return;
      }
      const { counting } = this.wanted;
      const marks = [
        row.kind === "crossing" ? "a crossing" : "", row.market_open ? "" : "market closed", row.stale ? "stale price" : "", row.demo ? "DEMO" : "",
      ];
      const counted = row[counting] === null ? "without end" : percent(row[counting]);
      const hedged = row.hedge_value ? `${counted} ${COUNTINGS[counting]}, ${percent(row.ltv)} without options` : percent(row.ltv);
      this.read = [moment(row.at), `LTV ${hedged}`, `price ${row.price.toFixed(2)}`, ...marks.filter(Boolean)].join(" · ");
    },
    show(portfolio, days, counting) {
      const fetched = portfolio === this.wanted.portfolio && days === this.wanted.days;
      this.wanted = { portfolio, days, counting };
      if (!this.chart) return;
      if (!fetched) this.fetchRecords();
      else if (this.gaps) {
        this.draw();
        this.tell();
      }
    },
    refresh() {
      if (this.chart) this.fetchRecords();
    },
    setEvents(events) {
      this.events = events;
      if (this.chart) this.mark();
    },
  },
};
