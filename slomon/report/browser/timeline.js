// The timeline: a lane for each service, with changes as ticks and incidents as bars.

// Heights, in CSS pixels.
const LANE = 46;
const NAME = 21; // the upper part of a lane
const BARS = 20;
const AXIS = 22;
const NEAR = 5; // pixels by which a pointer may miss an item
const ROWS = 3; // for bars that overlap in time; further bars share the last row

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
    onColourChange(this.redraw);
    new ResizeObserver(this.redraw).observe(this.scroller);
    this.listen();
  }

  listen() {
    const { scroller } = this;
    scroller.addEventListener("scroll", this.redraw);
    scroller.addEventListener("keydown", (event) => this.onKey(event));
    scroller.addEventListener("pointerdown", (event) => this.startDrag(event));
    scroller.addEventListener("pointermove", (event) => this.onMove(event));
    scroller.addEventListener("pointerup", (event) => this.endDrag(event));
    scroller.addEventListener("pointercancel", () => this.cancelDrag());
    scroller.addEventListener("pointerleave", () => (this.hint.hidden = true));
    scroller.addEventListener("dblclick", () => this.view.reset());
    scroller.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
  }

  // Positions: x is CSS pixels from the left of the drawing, y from the top of the first lane.

  x(seconds) {
    return ((seconds - this.view.from) / this.view.duration) * this.width;
  }

  seconds(x) {
    return this.view.from + (x / this.width) * this.view.duration;
  }

  position(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top - AXIS + this.scroller.scrollTop];
  }

  // Drawing

  draw() {
    const { scroller } = this;
    this.width = scroller.clientWidth;
    this.height = Math.min(scroller.clientHeight, AXIS + this.lanes.length * LANE);
    const context = resizeCanvas(this.canvas, this.width, this.height);
    const first = Math.max(0, Math.floor(scroller.scrollTop / LANE));
    const last = Math.min(this.lanes.length, Math.ceil((scroller.scrollTop + this.height) / LANE));
    this.colours = Object.fromEntries(
      ["ink", "muted", "rule", "ground", "deploy", "closed", "open", "expired", "accent"].map((name) => [
        name,
        colour(name),
      ]),
    );
    this.drawAxis(context);
    context.save();
    context.beginPath();
    context.rect(0, AXIS, this.width, this.height);
    context.clip();
    for (let number = first; number < last; number += 1) {
      this.drawLane(context, this.lanes[number], AXIS + number * LANE - scroller.scrollTop);
    }
    context.restore();
    this.showNames(first, last);
    const whole = Math.floor((this.height - AXIS) / LANE);
    get("unprinted").textContent =
      whole < this.lanes.length ? `${whole} of ${showMany(this.lanes.length, "service")}.` : "";
  }

  drawAxis(context) {
    const [moments, step] = roundMoments(
      this.view.from,
      this.view.to,
      Math.max(2, Math.floor(this.width / 95)),
    );
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    context.textAlign = "center";
    for (const seconds of moments) {
      const x = Math.round(this.x(seconds)) + 0.5;
      const words = showAxisTime(seconds, step);
      const half = context.measureText(words).width / 2 + 1;
      context.strokeStyle = this.colours.rule;
      context.beginPath();
      context.moveTo(x, AXIS - 4);
      context.lineTo(x, this.height);
      context.stroke();
      context.fillStyle = this.colours.muted;
      context.fillText(words, Math.min(Math.max(x, half), this.width - half), AXIS / 2 - 1);
    }
  }

  drawLane(context, lane, top) {
    context.fillStyle = this.colours.rule;
    context.fillRect(0, Math.round(top), this.width, 1);
    this.drawDeploys(context, deploysWithin(lane, this.view), top + NAME);
    for (const incident of lane.incidents) {
      if (this.data.shownEnd(incident) >= this.view.from && incident.start <= this.view.to) {
        this.drawCause(context, lane, incident, top);
        this.drawBar(context, lane, incident, top);
      }
    }
    if (this.current && this.current.deploy && this.current.lane === lane) {
      context.fillStyle = this.colours.accent;
      context.fillRect(this.x(this.current.deploy.at) - 1.5, top + NAME - 4, 3, BARS + 8);
    }
  }

  drawDeploys(context, deploys, top) {
    let drawn = null;
    context.fillStyle = this.colours.deploy;
    for (const { at } of deploys) {
      const x = Math.round(this.x(at));
      if (x < 0 || x > this.width || x === drawn) continue;
      drawn = x;
      context.fillRect(x, top - 3, 1, BARS + 6);
      context.beginPath();
      context.moveTo(x - 3, top - 3);
      context.lineTo(x + 4, top - 3);
      context.lineTo(x + 0.5, top + 1);
      context.fill();
    }
  }

  /** A line from the change that caused an incident to its bar, with a mark at the change. */
  drawCause(context, lane, incident, top) {
    const { suspect, verdict } = incident.brokenBy;
    if (!namedBy(incident.brokenBy)) return;
    const [left, y, , height] = this.box(lane, incident, top);
    const x = this.x(incident.onset - suspect.delay);
    context.globalAlpha = verdict === "clear" ? 1 : 0.6;
    context.fillStyle = this.colours.open;
    context.fillRect(Math.max(x, 0), y + height / 2 - 0.5, Math.max(left - Math.max(x, 0), 0), 1);
    context.fillRect(x - 1, top + NAME - 3, 2, BARS + 6);
    context.globalAlpha = 1;
  }

  drawBar(context, lane, incident, top) {
    const [x, y, width, height] = this.box(lane, incident, top);
    context.globalAlpha = incident.brokenBy.verdict === "clear" ? 1 : 0.6;
    context.fillStyle = this.colours[incident.state];
    context.fillRect(x, y, width, height);
    context.globalAlpha = 1;
    if (incident.state === "open") {
      // An open incident: the bar is striped at its end.
      context.fillStyle = this.colours.ground;
      for (let stripe = x + width - 2; stripe > Math.max(x + 2, x + width - 14); stripe -= 4)
        context.fillRect(stripe, y, 2, height);
    }
    if (this.current && this.current.incident === incident) {
      context.strokeStyle = this.colours.accent;
      context.lineWidth = 2;
      context.strokeRect(x - 3, y - 3, width + 6, height + 6);
      context.lineWidth = 1;
    }
  }

  /** The rectangle of an incident in a lane with this top: left, top, width and height. */
  box(lane, incident, top) {
    const height = BARS / lane.rows;
    const left = Math.max(-10, this.x(incident.start));
    const right = Math.min(this.width + 10, this.x(this.data.shownEnd(incident)));
    const gap = lane.rows > 1 ? 1 : 0;
    return [left, top + NAME + incident.row * height, Math.max(2, right - left), height - gap];
  }

  showNames(first, last) {
    const shown = `${first} ${last}`;
    if (this.shownNames === shown) return;
    this.shownNames = shown;
    this.names.replaceChildren(
      ...this.lanes.slice(first, last).map((lane, index) => {
        const count = lane.incidents.length
          ? make("span", { class: "count" }, showMany(lane.incidents.length, "incident"))
          : "";
        const name = make("div", { class: "lane-name" }, quote(lane.name, 80), count);
        name.style.top = `${AXIS + (first + index) * LANE}px`;
        return name;
      }),
    );
  }

  // Pointer

  /** The item nearest to a position, or null. An incident takes precedence over a change. */
  find(x, y) {
    const lane = this.lanes[Math.floor(y / LANE)];
    if (!lane || y < 0) return null;
    const within = (y % LANE) - NAME;
    let found = null;
    let nearest = NEAR + 1;
    for (const incident of lane.incidents) {
      const [left, top, width, height] = this.box(lane, incident, -NAME);
      const inRow = within >= top - 1 && within <= top + height + 1;
      const distance = Math.max(left - x, x - left - width, 0) + (inRow ? 0 : 1);
      if (distance < nearest && within >= -2) [found, nearest] = [{ lane, incident }, distance];
    }
    if (found && nearest <= 1) return found;
    for (const deploy of deploysWithin(lane, this.view)) {
      const distance = Math.abs(this.x(deploy.at) - x);
      if (distance < nearest) [found, nearest] = [{ lane, deploy }, distance];
    }
    return found;
  }

  onMove(event) {
    const [x, y] = this.position(event);
    if (this.dragStart !== undefined && Math.abs(x - this.dragStart) > NEAR) {
      this.band.hidden = false;
      this.band.style.left = `${Math.min(x, this.dragStart)}px`;
      this.band.style.width = `${Math.abs(x - this.dragStart)}px`;
    }
    const found = this.dragStart === undefined ? this.find(x, y) : null;
    this.scroller.classList.toggle("on-item", found !== null);
    this.hint.hidden = found === null;
    if (!found) return;
    this.hint.replaceChildren(...this.describeItem(found));
    const left = Math.min(x + 12, this.width - this.hint.offsetWidth - 4);
    this.hint.style.left = `${Math.max(0, left)}px`;
    this.hint.style.top = `${y + AXIS - this.scroller.scrollTop + 16}px`;
  }

  startDrag(event) {
    if (event.button === 0 && event.pointerType !== "touch") this.dragStart = this.position(event)[0];
  }

  endDrag(event) {
    const [x, y] = this.position(event);
    const { dragStart } = this;
    this.cancelDrag();
    if (dragStart !== undefined && Math.abs(x - dragStart) > NEAR) {
      this.view.show(this.seconds(Math.min(x, dragStart)), this.seconds(Math.max(x, dragStart)));
      return;
    }
    const found = this.find(x, y);
    if (found) this.choose(found);
  }

  cancelDrag() {
    this.dragStart = undefined;
    this.band.hidden = true;
  }

  onWheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone moves the page
    event.preventDefault();
    this.view.zoom(2 ** (event.deltaY / 200), this.seconds(this.position(event)[0]));
  }

  // Keyboard

  onKey(event) {
    const act = {
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      ArrowDown: () => this.changeLane(1),
      ArrowUp: () => this.changeLane(-1),
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
    return this.current ? timeOf(this.current) : (this.view.from + this.view.to) / 2;
  }

  /** Moves by some items of the lane; stops at the first and the last one. */
  step(by) {
    const lane = this.current ? this.current.lane : this.lanes[0];
    if (!lane) return;
    const items = itemsOf(lane);
    const here = this.current ? items.findIndex((item) => isSame(item, this.current)) : -1;
    const next = Math.min(Math.max(here + by, 0), items.length - 1);
    if (items.length) this.show(items[next]);
  }

  /** Moves to the next (1) or previous (-1) lane with items, to the item nearest in time. */
  changeLane(by) {
    let number = this.current ? this.lanes.indexOf(this.current.lane) + by : 0;
    while (this.lanes[number] && isEmpty(this.lanes[number])) number += by;
    const lane = this.lanes[number];
    if (!lane) return;
    const now = this.middle();
    const distance = (item) => Math.abs(timeOf(item) - now);
    this.show(itemsOf(lane).reduce((best, item) => (distance(item) < distance(best) ? item : best)));
  }

  // Items

  choose(item) {
    this.show(item);
    if (item.incident) this.select(item.incident);
  }

  /** Makes an item the current one, describes it, and moves the view as little as shows it. */
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
    get("current").replaceChildren(...this.describeItem(item));
    this.redraw();
  }

  showIncident(incident) {
    const lane = this.lanes[incident.endpoint.service];
    this.view.showAround(incident.start, this.data.shownEnd(incident));
    this.show({ lane, incident });
  }

  describeItem({ lane, incident, deploy }) {
    const { data } = this;
    const line = (...words) => make("div", {}, ...words);
    if (deploy) {
      return [
        line(make("strong", {}, "change "), quote(deploy.commit, 40)),
        line(
          deploy.service === EVERY_SERVICE ? "of every service" : quote(lane.name, 60),
          " by ",
          quote(deploy.author, 60),
        ),
        line(moment(deploy.at, true), " UTC"),
      ];
    }
    return [
      line(make("strong", {}, `${incident.state} incident `), endpointName(data, incident.endpoint, 60)),
      line(
        moment(incident.start),
        ` UTC, ${incident.duration === null ? "still open" : `lasted ${showDuration(incident.duration)}`}`,
      ),
      line("broken by ", ...nameCause(data, incident.brokenBy, "no known change", 12)),
    ];
  }
}

function makeLanes(data) {
  const lanes = data.services.map((name, service) => ({
    name,
    incidents: assignRows(data, data.incidentsOf[service]),
    deploys: [],
  }));
  const inOrder = [...data.deploys].sort((one, other) => one.at - other.at);
  for (const deploy of inOrder) if (deploy.service !== EVERY_SERVICE) lanes[deploy.service].deploys.push(deploy);
  const common = inOrder.filter(({ service }) => service === EVERY_SERVICE);
  for (const lane of lanes) {
    lane.common = common;
    lane.rows = Math.max(1, ...new Set(lane.incidents.map((incident) => incident.row + 1)));
  }
  return lanes;
}

/** The items of a lane in order of time; made when they are first needed. */
function itemsOf(lane) {
  lane.items ??= [
    ...lane.incidents.map((incident) => ({ lane, incident })),
    ...[...lane.deploys, ...lane.common].map((deploy) => ({ lane, deploy })),
  ].sort((one, other) => timeOf(one) - timeOf(other));
  return lane.items;
}

function isEmpty({ incidents, deploys, common }) {
  return !incidents.length && !deploys.length && !common.length;
}

/** The deploys of a lane, and those of every service, within the time range of the view. */
function deploysWithin(lane, view) {
  return [lane.deploys, lane.common].flatMap((deploys) =>
    deploys.slice(lowerBound(deploys, view.from), lowerBound(deploys, view.to)),
  );
}

/** The index of the first deploy that is not earlier than a moment, among deploys in order of time. */
function lowerBound(deploys, moment) {
  let [low, high] = [0, deploys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (deploys[middle].at < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Gives each incident the first free row of its lane, or else the last row. */
function assignRows(data, incidents) {
  const ends = [];
  for (const incident of incidents) {
    let row = ends.findIndex((end) => end <= incident.start);
    if (row < 0) row = Math.min(ends.length, ROWS - 1);
    ends[row] = Math.max(ends[row] ?? -Infinity, data.shownEnd(incident));
    incident.row = row;
  }
  return incidents;
}

function timeOf(item) {
  return item.incident ? item.incident.start : item.deploy.at;
}

function isSame(item, other) {
  return item.incident === other.incident && item.deploy === other.deploy;
}
