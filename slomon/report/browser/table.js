// Tables with sorting, filters and pages. Only the rows of one page are in the document.

const COLLATOR = new Intl.Collator("en");

/**
 * A column has a `name`, a `key` of a row to sort by, a `cell` that is shown, `number` or `time` if its
 * keys are numbers or times, and `minor`: "minor" columns are hidden on a phone, "least" ones on any
 * small screen.
 */
class Table {
  constructor(id, columns, rows, { size = 25, noun = "row", details = null, sorted = null, missing = 0 } = {}) {
    this.columns = columns;
    this.rows = rows;
    this.size = size;
    this.noun = noun;
    this.missing = missing; // rows that the page omits
    this.details = details;
    this.root = get(id);
    this.order = sorted || { column: columns[0], down: false };
    this.page = 0;
    this.expanded = new Set();
    this.keys = new Map();
    this.accept = null;
    this.build();
    this.sortRows();
  }

  build() {
    this.heads = this.columns.map((column) => {
      const press = () => this.sort(column);
      return make(
        "th",
        { scope: "col", class: classes(column) },
        button(column.name, press, { class: "sort" }),
      );
    });
    const lead = this.details
      ? [make("th", { scope: "col", class: "lead" }, make("span", { class: "unseen" }, "details"))]
      : [];
    this.body = make("tbody");
    const caption = make("caption", { class: "unseen" }, this.root.dataset.caption);
    const table = make(
      "table",
      { class: this.details ? "lines cards" : "lines" },
      caption,
      make("thead", {}, make("tr", {}, ...lead, ...this.heads)),
      this.body,
    );
    this.status = make("span", { role: "status" });
    this.back = button("Previous", () => this.turnPage(-1));
    this.forth = button("Next", () => this.turnPage(1));
    const wide = make(
      "div",
      { class: "wide", tabindex: 0, role: "region", "aria-label": this.root.dataset.caption },
      table,
    );
    this.root.append(wide, make("div", { class: "pages" }, this.status, this.back, this.forth));
  }

  /** Shows only rows for which `accept` is true. */
  filter(accept) {
    this.accept = accept;
    this.applyFilter();
  }

  applyFilter() {
    this.accepted = this.accept ? this.sorted.filter(this.accept) : this.sorted;
    this.page = 0;
    this.render();
  }

  sort(column) {
    const again = this.order.column === column;
    this.order = { column, down: again ? !this.order.down : Boolean(column.number) };
    this.sortRows();
  }

  turnPage(by) {
    this.page += by;
    this.render();
    this.root.scrollIntoView({ block: "nearest" });
  }

  /** Turns to the page of a row, expands the row and returns its element; null if it is filtered out. */
  find(row) {
    const index = this.accepted.indexOf(row);
    if (index < 0) return null;
    this.page = Math.floor(index / this.size);
    this.expanded.add(row);
    this.render();
    return this.body.querySelector(`[data-row="${row.number}"]`);
  }

  sortRows() {
    const { column, down } = this.order;
    if (!this.keys.has(column)) this.keys.set(column, this.rank(column));
    const ranks = this.keys.get(column);
    const sign = down ? -1 : 1;
    this.sorted = [...this.rows].sort(
      (one, other) => sign * (ranks.get(one) - ranks.get(other)) || one.number - other.number,
    );
    for (const [index, head] of this.heads.entries()) {
      if (this.columns[index] === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    this.applyFilter();
  }

  /** The rank of each row by a column; empty values come first. Each distinct text is compared once. */
  rank(column) {
    const keys = this.rows.map((row) => column.key(row));
    if (column.number || column.time)
      return new Map(this.rows.map((row, index) => [row, keys[index] ?? -Infinity]));
    const texts = [...new Set(keys)].sort(COLLATOR.compare);
    const ranks = new Map(texts.map((text, rank) => [text, rank]));
    return new Map(this.rows.map((row, index) => [row, ranks.get(keys[index])]));
  }

  render() {
    const count = this.accepted.length;
    const first = this.page * this.size;
    const last = Math.min(first + this.size, count);
    this.body.replaceChildren(...this.accepted.slice(first, last).flatMap((row) => this.renderRow(row)));
    const total = count === this.rows.length ? "" : ` (of ${showCount(this.rows.length)})`;
    const missing = this.missing ? `; ${showCount(this.missing)} more are not in this page` : "";
    const rows = count > this.size ? `${showCount(first + 1)} to ${showCount(last)} of ` : "";
    this.status.textContent = `${rows}${showMany(count, this.noun)}${total}${missing}`;
    this.back.hidden = this.forth.hidden = count <= this.size;
    this.back.disabled = first === 0;
    this.forth.disabled = last === count;
  }

  renderRow(row) {
    const cells = this.columns.map((column) =>
      make("td", { class: classes(column), "data-name": column.name }, ...[column.cell(row)].flat()),
    );
    const line = make("tr", { "data-row": row.number });
    if (!this.details) {
      line.append(...cells);
      return [line];
    }
    const open = this.expanded.has(row);
    const id = `${this.root.id}-details-${row.number}`;
    const toggle = button(open ? "\u2212" : "+", () => this.toggle(row), {
      class: "toggle",
      "aria-expanded": String(open),
      "aria-controls": open ? id : null,
      "aria-label": `details of ${this.noun} ${row.number + 1}`,
    });
    line.append(make("td", { class: "lead" }, toggle), ...cells);
    if (!open) return [line];
    return [
      line,
      make("tr", { id, class: "details" }, make("td", { colspan: cells.length + 1 }, this.details(row))),
    ];
  }

  toggle(row) {
    if (!this.expanded.delete(row)) this.expanded.add(row);
    this.render();
    this.body.querySelector(`[data-row="${row.number}"] .toggle`).focus();
  }
}

function classes(column) {
  return [column.number ? "number" : "", column.minor || ""].join(" ").trim() || null;
}

/**
 * A predicate: whether the texts of a row, given by their numbers, contain all words of a search. Each
 * text is searched once, however many rows have it.
 */
function searchTexts(texts, search) {
  const hits = search
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => texts.map((text) => text.includes(word)));
  return (numbers) => hits.every((hit) => numbers.some((number) => hit[number]));
}
