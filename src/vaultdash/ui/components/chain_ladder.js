// The chain of one expiration: calls left, strike, puts right; or one side as a table that any column sorts.
// What is shown of it (side, strikes, columns) is this browser's affair and is remembered by it.
const MEMORY = "vd-options-view";
const PHONE = "(max-width: 640px)";
const NEAR = 0.05; // of the price, on each side of it
const FEWEST = 9;
const MOST = 18; // strikes on each side
const BELOW_CALL = 2;
const ABOVE_CALL = 3;
const FOLD_FROM = 3; // fewer hidden strikes in a row are not worth hiding
const USUAL = {
  both: ["bid", "ask", "mid", "spread", "iv", "delta", "oi", "volume"],
  one: ["bid", "ask", "mid", "spread", "iv", "delta", "gamma", "theta", "vega", "oi", "volume", "last"],
  phone: ["bid", "ask", "iv", "delta", "oi"],
};

const remembered = () => {
  try {
    return JSON.parse(localStorage.getItem(MEMORY)) ?? {};
  } catch {
    return {};
  }
};

export default {
  template: `
<div class="vd-ladder" :class="{ phone: isPhone }">
  <div class="vd-ladder-bar">
    <div class="vd-tabs" role="group" aria-label="Which side">
      <button v-for="each in ['both', 'calls', 'puts']" type="button" class="vd-tab" :aria-pressed="String(side === each)"
        @click="choose('side', each)">{{ each }}</button>
    </div>
    <div class="vd-tabs" role="group" aria-label="Which strikes">
      <button type="button" class="vd-tab" :aria-pressed="String(!all)" @click="choose('all', false)">near the money</button>
      <button type="button" class="vd-tab" :aria-pressed="String(all)" @click="choose('all', true)">all {{ rows.length }} strikes</button>
    </div>
    <details class="vd-choice" ref="choice" @keydown.esc="closeChoice" @focusout="leaveChoice">
      <summary class="vd-tab">columns</summary>
      <fieldset class="vd-choice-box">
        <legend class="vd-note">Columns shown for {{ kindWords }}</legend>
        <label v-for="column in columns" :key="column.name">
          <input type="checkbox" :checked="isShown(column.name)" @change="toggle(column.name)">
          <span>{{ column.label }}</span> <small>{{ column.hint }}</small>
        </label>
        <button type="button" class="vd-tab" @click="usual">the usual ones</button>
      </fieldset>
    </details>
  </div>
  <div class="vd-ladder-scroll" :class="{ tall: all }" ref="scroll" tabindex="-1">
    <table :class="side === 'both' ? 'both' : 'one'" :aria-label="label" aria-describedby="vd-ladder-said">
      <thead v-if="side === 'both'">
        <tr class="sides">
          <th :colspan="left.length" scope="colgroup">Calls</th><th class="strike"></th>
          <th :colspan="right.length" scope="colgroup">Puts</th>
        </tr>
        <tr>
          <th v-for="at in left" :key="'c' + at" scope="col" :title="columns[at].hint">{{ columns[at].label }}</th>
          <th class="strike" scope="col" :aria-sort="falling ? 'descending' : 'ascending'">
            <button type="button" class="vd-sort" @click="falling = !falling" title="Turn the order of the strikes">strike {{ falling ? "▾" : "▴" }}</button>
          </th>
          <th v-for="at in right" :key="'p' + at" scope="col" :title="columns[at].hint">{{ columns[at].label }}</th>
        </tr>
      </thead>
      <thead v-else>
        <tr>
          <th class="strike" scope="col" :aria-sort="order('strike')">
            <button type="button" class="vd-sort" @click="sort('strike')">{{ side === "puts" ? "put" : "call" }} {{ arrow("strike") }}</button>
          </th>
          <th v-for="at in right" :key="at" scope="col" :aria-sort="order(columns[at].name)" :title="columns[at].hint">
            <button type="button" class="vd-sort" @click="sort(columns[at].name)">{{ columns[at].label }} {{ arrow(columns[at].name) }}</button>
          </th>
        </tr>
      </thead>
      <tbody ref="body" @keydown="onKey" @focusin="onFocus" @click="onClick" @mouseover="onHover" @mouseleave="said = spoken">
        <template v-for="line in lines" :key="line.key">
          <tr v-if="line.mark" class="vd-mark" :class="line.mark.tone" :data-mark="line.mark.tone">
            <td :colspan="width"><span>{{ line.mark.label }}</span></td>
          </tr>
          <tr v-else-if="line.hidden" class="vd-fold">
            <td :colspan="width"><button type="button" class="vd-fold-button" @click.stop="choose('all', true)">{{ line.hidden }} more {{ line.hidden === 1 ? "strike" : "strikes" }}, {{ line.from }} to {{ line.to }}</button></td>
          </tr>
          <tr v-else :class="{ first: line.row.put?.id === first, even: line.row.k === atTheMoney }" :data-strike="line.row.strike">
            <template v-if="side === 'both'">
              <td v-for="at in left" :key="'c' + at" :class="look(line.row.call, at)" :data-id="line.row.call?.id"
                :title="hint(line.row.call, at)" tabindex="-1">{{ line.row.call ? line.row.call.t[at] : "" }}</td>
              <th class="strike" scope="row">{{ line.row.strike }}</th>
              <td v-for="at in right" :key="'p' + at" :class="look(line.row.put, at)" :data-id="line.row.put?.id"
                :title="hint(line.row.put, at)" tabindex="-1">{{ line.row.put ? line.row.put.t[at] : "" }}</td>
            </template>
            <template v-else>
              <th class="strike" scope="row">{{ line.row.strike }}</th>
              <td v-for="at in right" :key="at" :class="look(of(line.row), at)" :data-id="of(line.row).id"
                :title="hint(of(line.row), at)" tabindex="-1">{{ of(line.row).t[at] }}</td>
            </template>
          </tr>
        </template>
      </tbody>
    </table>
  </div>
  <div class="vd-note vd-ladder-said" id="vd-ladder-said" role="status">{{ said || "Choose a contract with a click, or with arrow keys and Enter. Grey: the quote is not used. Italic: Greeks from the surface." }}</div>
</div>`,
  props: {
    rows: { type: Array, default: () => [] },
    columns: { type: Array, default: () => [] },
    marks: { type: Array, default: () => [] },
    spot: { type: Number, default: 0 },
    call: { type: Number, default: 0 },
    first: { type: String, default: "" },
    label: { type: String, default: "" },
    picked: { type: String, default: "" },
  },
  data() {
    const known = remembered();
    return {
      isPhone: window.matchMedia(PHONE).matches,
      sides: known.sides ?? {},
      all: known.all ?? false,
      shown: known.shown ?? {},
      sorted: { by: "strike", down: false },
      falling: false,
      said: "",
      spoken: "",
    };
  },
  computed: {
    side() {
      return this.sides[this.isPhone ? "phone" : "wide"] ?? (this.isPhone ? "puts" : "both");
    },
    kind() {
      return this.isPhone && this.side !== "both" ? "phone" : this.side === "both" ? "both" : "one";
    },
    kindWords() {
      return { both: "calls and puts", one: "one side", phone: "the phone" }[this.kind];
    },
    right() {
      const chosen = this.shown[this.kind] ?? USUAL[this.kind];
      return this.columns.flatMap((column, at) => (chosen.includes(column.name) ? [at] : []));
    },
    left() {
      // mirrored, so that both sides have bid and ask beside the strike; a bid still stands before its ask
      const mirrored = [...this.right].reverse();
      const name = (at) => this.columns[at]?.name;
      const end = mirrored.length - 1;
      if (end > 0 && name(mirrored[end]) === "bid" && name(mirrored[end - 1]) === "ask") {
        [mirrored[end], mirrored[end - 1]] = [mirrored[end - 1], mirrored[end]];
      }
      return mirrored;
    },
    width() {
      return this.side === "both" ? this.left.length + this.right.length + 1 : this.right.length + 1;
    },
    atTheMoney() {
      let best = null;
      for (const row of this.rows) {
        if (best === null || Math.abs(row.k - this.spot) < Math.abs(best - this.spot)) best = row.k;
      }
      return best;
    },
    listed() {
      return this.side === "both" ? this.rows : this.rows.filter((row) => this.of(row));
    },
    near() {
      // the strikes around the price, and those around the price at which the lender calls
      const around = (price, below, above) => {
        const at = this.listed.findIndex((row) => row.k >= price);
        const middle = at < 0 ? this.listed.length : at;
        return this.listed.slice(Math.max(middle - below, 0), middle + above);
      };
      const within = this.listed.filter((row) => Math.abs(row.k / this.spot - 1) <= NEAR).length;
      const each = Math.min(Math.max(Math.round(within / 2), FEWEST), MOST);
      const near = new Set(around(this.spot, each, each));
      const at = this.listed.findIndex((row) => row.put?.id && row.put.id === this.first);
      if (at >= 0) for (const row of this.listed.slice(Math.max(at - 1, 0), at + 2)) near.add(row);
      if (this.call > 0) for (const row of around(this.call, BELOW_CALL, ABOVE_CALL)) near.add(row);
      return near;
    },
    lines() {
      if (this.side !== "both" && this.sorted.by !== "strike") return this.sortedLines();
      const up = this.withFolds();
      const down = this.side === "both" ? this.falling : this.sorted.down;
      return down ? up.reverse() : up;
    },
  },
  watch: {
    lines: { handler: "settle", flush: "post" },
    label() {
      this.spoken = this.said = "";
      this.$nextTick(() => this.centre());
    },
    picked: { handler: "settle", flush: "post" },
  },
  mounted() {
    this.media = window.matchMedia(PHONE);
    this.onMedia = () => (this.isPhone = this.media.matches);
    this.media.addEventListener("change", this.onMedia);
    this.onPress = (event) => {
      if (!this.$refs.choice.contains(event.target)) this.$refs.choice.open = false;
    };
    document.addEventListener("pointerdown", this.onPress);
    this.settle();
    this.$nextTick(() => this.centre());
  },
  beforeUnmount() {
    document.removeEventListener("pointerdown", this.onPress);
    this.media.removeEventListener("change", this.onMedia);
  },
  methods: {
    of(row) {
      return this.side === "calls" ? row.call : row.put;
    },
    look(side, at) {
      if (!side) return "none";
      return {
        itm: side.itm,
        off: side.off,
        soft: side.soft && this.columns[at].greek,
        price: ["bid", "ask"].includes(this.columns[at].name),
        chosen: this.first === side.id,
        picked: this.picked === side.id,
      };
    },
    hint(side, at) {
      if (!side) return null;
      return side.hints[this.columns[at].name] ?? side.why ?? null;
    },
    withFolds() {
      const lines = [];
      const marks = [...this.marks].sort((a, b) => a.price - b.price);
      let hidden = [];
      const fold = () => {
        if (hidden.length === 0) return;
        if (hidden.length < FOLD_FROM) {
          for (const row of hidden) lines.push({ key: "row" + row.strike, row });
          hidden = [];
          return;
        }
        const from = hidden[0].strike;
        lines.push({ key: "fold" + from, hidden: hidden.length, from, to: hidden.at(-1).strike });
        hidden = [];
      };
      for (const row of this.listed) {
        while (marks.length && marks[0].price <= row.k) {
          fold();
          const mark = marks.shift();
          lines.push({ key: "mark" + mark.tone, mark });
        }
        if (this.all || this.near.has(row)) {
          fold();
          lines.push({ key: "row" + row.strike, row });
        } else {
          hidden.push(row);
        }
      }
      fold();
      for (const mark of marks) lines.push({ key: "mark" + mark.tone, mark });
      return lines;
    },
    sortedLines() {
      const at = this.columns.findIndex((column) => column.name === this.sorted.by);
      const value = (row) => this.of(row).n[at];
      const sign = this.sorted.down ? -1 : 1;
      return this.listed
        .filter((row) => this.all || this.near.has(row))
        .sort((a, b) => {
          const [one, other] = [value(a), value(b)];
          if (one === null || other === null) return (one === null) - (other === null); // what is not known stands last
          return sign * (one - other) || a.k - b.k;
        })
        .map((row) => ({ key: "row" + row.strike, row }));
    },
    sort(by) {
      this.sorted = { by, down: this.sorted.by === by ? !this.sorted.down : by !== "strike" };
      this.$refs.scroll.scrollTop = 0;
    },
    order(by) {
      return this.sorted.by !== by ? "none" : this.sorted.down ? "descending" : "ascending";
    },
    arrow(by) {
      return this.sorted.by !== by ? "" : this.sorted.down ? "▾" : "▴";
    },
    choose(what, value) {
      if (what === "side") {
        this.sides = { ...this.sides, [this.isPhone ? "phone" : "wide"]: value };
        this.sorted = { by: "strike", down: false };
      } else {
        this.all = value;
      }
      this.remember();
      this.$nextTick(() => this.centre());
    },
    isShown(name) {
      return (this.shown[this.kind] ?? USUAL[this.kind]).includes(name);
    },
    toggle(name) {
      const chosen = this.shown[this.kind] ?? USUAL[this.kind];
      const changed = chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name];
      this.shown = { ...this.shown, [this.kind]: changed };
      this.remember();
    },
    usual() {
      this.shown = { ...this.shown, [this.kind]: USUAL[this.kind] };
      this.remember();
    },
    remember() {
      try {
        localStorage.setItem(MEMORY, JSON.stringify({ sides: this.sides, all: this.all, shown: this.shown }));
      } catch {
        // a browser that keeps nothing shows the usual view next time
      }
    },
    closeChoice() {
      this.$refs.choice.open = false;
      this.$refs.choice.querySelector("summary").focus();
    },
    leaveChoice(event) {
      if (event.relatedTarget && !this.$refs.choice.contains(event.relatedTarget)) this.$refs.choice.open = false;
    },
    centre() {
      // the price, or else the price of the call, in the middle of what scrolls
      const scroll = this.$refs.scroll;
      const mark = scroll?.querySelector("tr.vd-mark.gold") ?? scroll?.querySelector("tr.vd-mark");
      if (!mark || !this.all) return;
      scroll.scrollTop = mark.offsetTop - scroll.clientHeight / 2;
      scroll.scrollLeft = this.side === "both" ? (scroll.scrollWidth - scroll.clientWidth) / 2 : 0;
    },
    settle() {
      // one cell takes the Tab key; arrows go on from there
      const body = this.$refs.body;
      if (!body || body.querySelector('td[tabindex="0"]')) return;
      const find = (where) => body.querySelector(where);
      const first = find("tr.first td.chosen") ?? find("tr.even td[data-id]") ?? find("td[data-id]");
      if (first) first.tabIndex = 0;
    },
    cell(event) {
      const cell = event.target.closest?.("td[data-id]");
      return cell && this.$refs.body.contains(cell) ? cell : null;
    },
    onClick(event) {
      const cell = this.cell(event);
      if (cell) this.$emit("pick", cell.dataset.id);
    },
    onHover(event) {
      this.said = this.words(this.cell(event));
    },
    onFocus(event) {
      const cell = this.cell(event);
      if (!cell) return;
      for (const other of this.$refs.body.querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
      cell.tabIndex = 0;
      this.said = this.spoken = this.words(cell);
    },
    words(cell) {
      if (!cell) return "";
      const strike = cell.parentElement.dataset.strike;
      const row = this.rows.find((each) => each.strike === strike);
      const side = row && [row.call, row.put].find((each) => each?.id === cell.dataset.id);
      return side ? side.said : "";
    },
    onKey(event) {
      const cell = this.cell(event);
      if (!cell) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.$emit("pick", cell.dataset.id);
        return;
      }
      const next = this.neighbour(cell, event.key);
      if (next === undefined) return;
      event.preventDefault();
      if (next) {
        next.focus();
        next.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    },
    neighbour(cell, key) {
      const beside = (step) => {
        let next = cell[step];
        while (next && !next.dataset.id) next = next[step];
        return next;
      };
      const lines = [...this.$refs.body.querySelectorAll("tr[data-strike]")];
      const at = lines.indexOf(cell.parentElement);
      const line = (to) => {
        const found = lines[Math.max(0, Math.min(to, lines.length - 1))]?.children[cell.cellIndex];
        return found?.dataset.id ? found : null;
      };
      if (key === "ArrowLeft") return beside("previousElementSibling");
      if (key === "ArrowRight") return beside("nextElementSibling");
      const to = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - 10, PageDown: at + 10, Home: 0, End: lines.length - 1 };
      return key in to ? line(to[key]) : undefined;
    },
  },
};
