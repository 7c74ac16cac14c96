// A lane for each service: changes as ticks, incidents as bars from break to fix.

const LANE = 46; // CSS pixels, of which the name has the upper ones
const NAME = 21;
const BARS = 20;
const ROWS = 3; // of bars that are there at the same time; further ones share the last row
const AXIS = 22;
const NEAR = 5; // pixels by which a pointer may miss

class Timeline {
  constructor(data, view, select) {
    this.data = data;
    this.view = view;
    this.select = select;
    this.lanes = makeLanes(data);
    this.scroller = get("lanes");
    this.canvas = get("drawing");
    this.names = get("lane-names");
    this.hint = get("hint");
    this.band = get("band");
    this.current = null;
    get("ground").style.height = `${AXIS + this.lanes.length * LANE}px`;
    this.redraw = beforeNextFrame(() => this.draw());
    view.onChange(this.redraw);
    onRecolour(this.redraw);
    new ResizeObserver(this.redraw).observe(this.scroller);
    this.listen();
  }

  listen() {
    const { scroller } = this;
    scroller.addEventListener("scroll", this.redraw);
    scroller.addEventListener("keydown", (event) => this.press(event));
    scroller.addEventListener("pointerdown", (event) => this.grab(event));
    scroller.addEventListener("pointermove", (event) => this.hover(event));
    scroller.addEventListener("pointerup", (event) => this.release(event));
    scroller.addEventListener("pointercancel", () => this.drop());
    scroller.addEventListener("pointerleave", () => (this.hint.hidden = true));
    scroller.addEventListener("dblclick", () => this.view.reset());
    scroller.addEventListener("wheel", (event) => this.turn(event), { passive: false });
  }

  // Places: x is CSS pixels from the left of the drawing, y from the top of the first lane.

  x(seconds) {
    return ((seconds - this.view.from) / this.view.span) * this.width;
  }

  seconds(x) {
    return this.view.from + (x / this.width) * this.view.span;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top - AXIS + this.scroller.scrollTop];
  }

  // Drawing

  draw() {
    const { scroller } = this;
    this.width = scroller.clientWidth;
    this.height = Math.min(scroller.clientHeight, AXIS + this.lanes.length * LANE);
    const pen = fit(this.canvas, this.width, this.height);
    const first = Math.max(0, Math.floor(scroller.scrollTop / LANE));
    const last = Math.min(this.lanes.length, Math.ceil((scroller.scrollTop + this.height) / LANE));
    this.paint = Object.fromEntries(
      ["ink", "muted", "rule", "ground", "deploy", "closed", "open", "expired", "accent"].map((name) => [
        name,
        colour(name),
      ]),
    );
    this.drawAxis(pen);
    pen.save();
    pen.beginPath();
    pen.rect(0, AXIS, this.width, this.height);
    pen.clip();
    for (let number = first; number < last; number += 1) {
      this.drawLane(pen, this.lanes[number], AXIS + number * LANE - scroller.scrollTop);
    }
    pen.restore();
    this.writeNames(first, last);
    const whole = Math.floor((this.height - AXIS) / LANE);
    get("unprinted").textContent =
      whole < this.lanes.length ? `${whole} of ${showMany(this.lanes.length, "service")}.` : "";
  }

  drawAxis(pen) {
    const [moments, step] = roundMoments(
      this.view.from,
      this.view.to,
      Math.max(2, Math.floor(this.width / 95)),
    );
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    for (const seconds of moments) {
      const x = Math.round(this.x(seconds)) + 0.5;
      const words = showAxisTime(seconds, step);
      const half = pen.measureText(words).width / 2 + 1;
      pen.strokeStyle = this.paint.rule;
      pen.beginPath();
      pen.moveTo(x, AXIS - 4);
      pen.lineTo(x, this.height);
      pen.stroke();
      pen.fillStyle = this.paint.muted;
      pen.fillText(words, Math.min(Math.max(x, half), this.width - half), AXIS / 2 - 1);
    }
  }

  drawLane(pen, lane, top) {
    pen.fillStyle = this.paint.rule;
    pen.fillRect(0, Math.round(top), this.width, 1);
    this.drawDeploys(pen, deploysWithin(lane, this.view), top + NAME);
    for (const incident of lane.incidents) {
      if (this.data.shownEnd(incident) >= this.view.from && incident.start <= this.view.to)
        this.drawBar(pen, lane, incident, top);
    }
    if (this.current && this.current.deploy && this.current.lane === lane) {
      pen.fillStyle = this.paint.accent;
      pen.fillRect(this.x(this.current.deploy.at) - 1.5, top + NAME - 4, 3, BARS + 8);
    }
  }

  drawDeploys(pen, deploys, top) {
    let drawn = null;
    pen.fillStyle = this.paint.deploy;
    for (const { at } of deploys) {
      const x = Math.round(this.x(at));
      if (x < 0 || x > this.width || x === drawn) continue;
      drawn = x;
      pen.fillRect(x, top - 3, 1, BARS + 6);
      pen.beginPath();
      pen.moveTo(x - 3, top - 3);
      pen.lineTo(x + 4, top - 3);
      pen.lineTo(x + 0.5, top + 1);
      pen.fill();
    }
  }

  drawBar(pen, lane, incident, top) {
    const [x, y, width, height] = this.box(lane, incident, top);
    pen.globalAlpha = incident.brokenBy.verdict === "clear" ? 1 : 0.6;
    pen.fillStyle = this.paint[incident.state];
    pen.fillRect(x, y, width, height);
    pen.globalAlpha = 1;
    if (incident.state === "open") {
      // An open end: nothing closes the bar at the right.
      pen.fillStyle = this.paint.ground;
      for (let place = x + width - 2; place > Math.max(x + 2, x + width - 14); place -= 4)
        pen.fillRect(place, y, 2, height);
    }
    if (this.current && this.current.incident === incident) {
      pen.strokeStyle = this.paint.accent;
      pen.lineWidth = 2;
      pen.strokeRect(x - 3, y - 3, width + 6, height + 6);
      pen.lineWidth = 1;
    }
  }

  /** Where an incident is drawn in a lane whose top is given: left, top, width and height. */
  box(lane, incident, top) {
    const height = BARS / lane.rows;
    const left = Math.max(-10, this.x(incident.start));
    const right = Math.min(this.width + 10, this.x(this.data.shownEnd(incident)));
    const gap = lane.rows > 1 ? 1 : 0;
    return [left, top + NAME + incident.row * height, Math.max(2, right - left), height - gap];
  }

  writeNames(first, last) {
    const shown = `${first} ${last}`;
    if (this.named === shown) return;
    this.named = shown;
    this.names.replaceChildren(
      ...this.lanes.slice(first, last).map((lane, place) => {
        const count = lane.incidents.length
          ? make("span", { class: "count" }, showMany(lane.incidents.length, "incident"))
          : "";
        const name = make("div", { class: "lane-name" }, quote(lane.name, 80), count);
        name.style.top = `${AXIS + (first + place) * LANE}px`;
        return name;
      }),
    );
  }

  // Pointer

  /** What is drawn at a place: an incident before a change, the nearest one. */
  find(x, y) {
    const lane = this.lanes[Math.floor(y / LANE)];
    if (!lane || y < 0) return null;
    const within = (y % LANE) - NAME;
    let found = null;
    let nearest = NEAR + 1;
    for (const incident of lane.incidents) {
      const [left, top, width, height] = this.box(lane, incident, -NAME);
      const inRow = within >= top - 1 && within <= top + height + 1;
      const miss = Math.max(left - x, x - left - width, 0) + (inRow ? 0 : 1);
      if (miss < nearest && within >= -2) [found, nearest] = [{ lane, incident }, miss];
    }
    if (found && nearest <= 1) return found;
    for (const deploy of deploysWithin(lane, this.view)) {
      const miss = Math.abs(this.x(deploy.at) - x);
      if (miss < nearest) [found, nearest] = [{ lane, deploy }, miss];
    }
    return found;
  }

  hover(event) {
    const [x, y] = this.place(event);
    if (this.held !== undefined && Math.abs(x - this.held) > NEAR) {
      this.band.hidden = false;
      this.band.style.left = `${Math.min(x, this.held)}px`;
      this.band.style.width = `${Math.abs(x - this.held)}px`;
    }
    const found = this.held === undefined ? this.find(x, y) : null;
    this.scroller.classList.toggle("on-item", found !== null);
    this.hint.hidden = found === null;
    if (!found) return;
    this.hint.replaceChildren(...this.tell(found));
    const left = Math.min(x + 12, this.width - this.hint.offsetWidth - 4);
    this.hint.style.left = `${Math.max(0, left)}px`;
    this.hint.style.top = `${y + AXIS - this.scroller.scrollTop + 16}px`;
  }

  grab(event) {
    if (event.button === 0 && event.pointerType !== "touch") this.held = this.place(event)[0];
  }

  release(event) {
    const [x, y] = this.place(event);
    const { held } = this;
    this.drop();
    if (held !== undefined && Math.abs(x - held) > NEAR) {
      this.view.show(this.seconds(Math.min(x, held)), this.seconds(Math.max(x, held)));
      return;
    }
    const found = this.find(x, y);
    if (found) this.choose(found);
  }

  drop() {
    this.held = undefined;
    this.band.hidden = true;
  }

  turn(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone moves the page
    event.preventDefault();
    this.view.zoom(2 ** (event.deltaY / 200), this.seconds(this.place(event)[0]));
  }

  // Keyboard

  press(event) {
    const act = {
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      ArrowDown: () => this.change(1),
      ArrowUp: () => this.change(-1),
      Home: () => this.step(-Infinity),
      End: () => this.step(Infinity),
      Enter: () => this.current && this.choose(this.current),
      "+": () => this.view.zoom(0.5, this.middle()),
      "-": () => this.view.zoom(2, this.middle()),
      0: () => this.view.reset(),
    }[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  }

  middle() {
    return this.current ? when(this.current) : (this.view.from + this.view.to) / 2;
  }

  /** To the next item of the lane, or the one before. */
  step(by) {
    const lane = this.current ? this.current.lane : this.lanes[0];
    if (!lane) return;
    const items = itemsOf(lane);
    const here = this.current ? items.findIndex((item) => same(item, this.current)) : -1;
    const next = Math.min(Math.max(here + by, 0), items.length - 1);
    if (items.length) this.show(items[next]);
  }

  /** To the nearest item of the next lane that has one, or of one before. */
  change(by) {
    let number = this.current ? this.lanes.indexOf(this.current.lane) + by : 0;
    while (this.lanes[number] && isEmpty(this.lanes[number])) number += by;
    const lane = this.lanes[number];
    if (!lane) return;
    const now = this.middle();
    const miss = (item) => Math.abs(when(item) - now);
    this.show(itemsOf(lane).reduce((best, item) => (miss(item) < miss(best) ? item : best)));
  }

  // Items

  choose(item) {
    this.show(item);
    if (item.incident) this.select(item.incident);
  }

  /** Makes an item the current one, tells it, and moves no further than to where it can be seen. */
  show(item) {
    this.current = item;
    const [from, to] = item.incident
      ? [item.incident.start, this.data.shownEnd(item.incident)]
      : [item.deploy.at, item.deploy.at];
    this.view.reveal(from, to);
    const top = this.lanes.indexOf(item.lane) * LANE;
    const { scroller } = this;
    const room = scroller.clientHeight - AXIS - LANE;
    scroller.scrollTop = Math.min(Math.max(scroller.scrollTop, top - room), top);
    get("current").classList.remove("unseen");
    get("current").replaceChildren(...this.tell(item));
    this.redraw();
  }

  showIncident(incident) {
    const lane = this.lanes[incident.endpoint.service];
    this.view.showAround(incident.start, this.data.shownEnd(incident));
    this.show({ lane, incident });
  }

  tell({ lane, incident, deploy }) {
    const { data } = this;
    const line = (...words) => make("div", {}, ...words);
    if (deploy) {
      return [
        line(make("strong", {}, "change "), quote(deploy.commit, 40)),
        line(
          deploy.service === EVERYONE ? "of every service" : quote(lane.name, 60),
          " by ",
          quote(deploy.author, 60),
        ),
        line(moment(deploy.at, true), " UTC"),
      ];
    }
    const by = incident.brokenBy.candidates.at(-1);
    return [
      line(make("strong", {}, `${incident.state} incident `), endpointName(data, incident.endpoint, 60)),
      line(
        moment(incident.start),
        ` UTC, ${incident.lasted === null ? "still open" : `lasted ${showSpan(incident.lasted)}`}`,
      ),
      line("broken by ", by ? quote(by.commit, 12) : "no known change", ` (${incident.brokenBy.verdict})`),
    ];
  }
}

function makeLanes(data) {
  const lanes = data.services.map((name, service) => ({
    name,
    incidents: layOut(data, data.incidentsOf[service]),
    deploys: [],
  }));
  const inOrder = [...data.deploys].sort((one, other) => one.at - other.at);
  for (const deploy of inOrder) if (deploy.service !== EVERYONE) lanes[deploy.service].deploys.push(deploy);
  const common = inOrder.filter(({ service }) => service === EVERYONE);
  for (const lane of lanes) {
    lane.common = common;
    lane.rows = Math.max(1, ...new Set(lane.incidents.map((incident) => incident.row + 1)));
  }
  return lanes;
}

/** What stands in a lane, by time. Made when someone walks through it. */
function itemsOf(lane) {
  lane.items ??= [
    ...lane.incidents.map((incident) => ({ lane, incident })),
    ...[...lane.deploys, ...lane.common].map((deploy) => ({ lane, deploy })),
  ].sort((one, other) => when(one) - when(other));
  return lane.items;
}

function isEmpty({ incidents, deploys, common }) {
  return !incidents.length && !deploys.length && !common.length;
}

/** Those of its service and of every service in the stretch that is shown. */
function deploysWithin(lane, view) {
  return [lane.deploys, lane.common].flatMap((deploys) =>
    deploys.slice(firstFrom(deploys, view.from), firstFrom(deploys, view.to)),
  );
}

/** The place of the first that is no earlier than a moment, among things in order. */
function firstFrom(deploys, moment) {
  let [low, high] = [0, deploys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (deploys[middle].at < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Gives each incident the first row that is free, or the last one. */
function layOut(data, incidents) {
  const ends = [];
  for (const incident of incidents) {
    let row = ends.findIndex((end) => end <= incident.start);
    if (row < 0) row = Math.min(ends.length, ROWS - 1);
    ends[row] = Math.max(ends[row] ?? -Infinity, data.shownEnd(incident));
    incident.row = row;
  }
  return incidents;
}

function when(item) {
  return item.incident ? item.incident.start : item.deploy.at;
}

function same(item, other) {
  return item.incident === other.incident && item.deploy === other.deploy;
}
