// The page: makes its parts from the data and connects them.

if (!("DecompressionStream" in window)) {
  get("extent").textContent = "This browser is too old for this page. It needs a browser of 2023 or later.";
  return;
}
const data = new Data(JSON.parse(await inflate(get("data").textContent)));
const view = new View(data.began, data.ended);
const timeline = new Timeline(data, view, (incident) => navigate(incident));
const chart = new Chart(data, view);
const lowercaseTexts = [...data.raw.texts, ...data.services].map((text) => text.toLowerCase());
for (const endpoint of data.endpoints) endpoint.texts.push(data.raw.texts.length + endpoint.service);
for (const incident of data.incidents) {
  const candidates = [
    ...incident.brokenBy.candidates,
    ...(incident.fixedBy ? incident.fixedBy.candidates : []),
  ];
  incident.texts = [...incident.endpoint.texts, ...candidates.flatMap(({ texts }) => texts)];
}

// The address of an incident within the page is `#incident-` and its id.

const byAddress = new Map(data.incidents.map((incident) => [address(incident), incident]));

function address(incident) {
  return `#incident-${encode(incident.id)}`;
}

let chosen = null;

function navigate(incident) {
  if (FRAMED || location.hash === address(incident)) openIncident(incident);
  else location.hash = address(incident);
}

/** In a frame, links to parts of the page don't work by themselves: they refer to the outer page. */
function followLink(event) {
  const link = event.target.closest("a[href^='#']");
  if (!link || event.defaultPrevented) return;
  event.preventDefault();
  const hash = link.getAttribute("href");
  if (byAddress.has(hash)) openIncident(byAddress.get(hash));
  else get(hash.slice(1)).focus();
}

if (FRAMED) document.addEventListener("click", followLink);

function openIncident(incident) {
  if (!incident) return;
  chosen = incident;
  timeline.showIncident(incident);
  if (data.seriesNumbers.size) chart.show(incident.endpoint);
  get("chosen").hidden = false;
  get("chosen-heading").replaceChildren(
    "Incident of ",
    quote(data.services[incident.endpoint.service], 80),
    " ",
    badge(incident.state),
  );
  get("chosen-facts").replaceChildren(describeIncident(data, incident));
  get("current").classList.add("unseen"); // the same text follows in full
  get("timeline").scrollIntoView({ block: "start" });
  get("lanes").focus({ preventScroll: true });
}

// Tables

function commitCell(attribution, otherwise) {
  if (!attribution) return make("span", { class: "nothing" }, NOTHING);
  return make("span", { class: "by" }, ...nameCause(data, attribution, otherwise, 8));
}

function authorOf(attribution) {
  return namedBy(attribution) ? attribution.suspect.author : "";
}

function commitOf(attribution) {
  return attribution ? namedBy(attribution) : "";
}

function endpointText(endpoint) {
  return `${endpoint.resource} ${endpoint.verb}`;
}

const INCIDENT_COLUMNS = [
  {
    name: "start (UTC)",
    key: (one) => one.start,
    time: true,
    cell: (one) => make("a", { href: address(one) }, moment(one.start)),
  },
  {
    name: "service",
    key: (one) => data.services[one.endpoint.service],
    minor: "minor",
    cell: (one) => quote(data.services[one.endpoint.service], 60),
  },
  {
    name: "endpoint",
    key: (one) => endpointText(one.endpoint),
    cell: (one) => endpointName(data, one.endpoint, 80),
  },
  {
    name: "lasted",
    key: (one) => one.duration ?? Infinity,
    number: true,
    cell: (one) =>
      one.state === "closed"
        ? showDuration(one.duration)
        : [one.duration === null ? "" : `${showDuration(one.duration)} `, badge(one.state)],
  },
  {
    name: "lowest SLI",
    key: (one) => one.minSli,
    number: true,
    minor: "minor",
    cell: (one) => showSli(one.minSli),
  },
  {
    name: "failed",
    key: (one) => one.failures,
    number: true,
    minor: "least",
    cell: (one) => showCount(one.failures),
  },
  {
    name: "broken by",
    key: (one) => commitOf(one.brokenBy),
    cell: (one) => commitCell(one.brokenBy, "no known change"),
  },
  {
    name: "author",
    key: (one) => authorOf(one.brokenBy),
    minor: "minor",
    cell: (one) => quote(authorOf(one.brokenBy), 40),
  },
  { name: "fixed by", key: (one) => commitOf(one.fixedBy), cell: (one) => commitCell(one.fixedBy, "by itself") },
];
const incidents = new Table("incidents", INCIDENT_COLUMNS, data.incidents, {
  noun: "incident",
  missing: data.raw.omitted.incidents,
  details: (incident) => describeIncident(data, incident),
});

const SERVICE_COLUMNS = [
  { name: "service", key: (one) => one.name, cell: (one) => quote(one.name, 80) },
  ...[
    ["incidents", "incidents", showCount],
    ["open", "repair.open", showCount],
    ["MTTR", "repair.mean", showDuration],
    ["median", "repair.median", showDuration, "minor"],
    ["90 %", "repair.p90", showDuration, "minor"],
    ["detection", "detection", showDuration, "minor"],
    ["budget left", "budget.left", showPercent],
    ["deployments", "delivery.deployments", showCount, "minor"],
    ["failed", "delivery.failed", showCount, "minor"],
  ].map(([name, column, show, minor]) => ({
    name,
    minor,
    number: true,
    key: (one) => data.raw.metrics[column][one.number],
    cell: (one) => show(data.raw.metrics[column][one.number]),
  })),
];
const services = data.services.slice(0, data.serviceCount).map((name, number) => ({ name, number }));
new Table("services", SERVICE_COLUMNS, services, {
  noun: "service",
  missing: data.raw.omitted.services,
  size: 20,
  sorted: { column: SERVICE_COLUMNS[1], down: true },
});

function endpointButton(endpoint) {
  if (!data.seriesNumbers.size) return endpointName(data, endpoint, 100);
  const press = () => {
    chart.show(endpoint);
    get("chart-section").scrollIntoView({ block: "start" });
  };
  return button(endpointName(data, endpoint, 100), press, { class: "link" });
}

const ENDPOINT_COLUMNS = [
  { name: "endpoint", key: endpointText, cell: endpointButton },
  {
    name: "service",
    key: (one) => data.services[one.service],
    minor: "minor",
    cell: (one) => quote(data.services[one.service], 60),
  },
  {
    name: "incidents",
    key: (one) => one.incidents.length,
    number: true,
    cell: (one) => showCount(one.incidents.length),
  },
  { name: "SLO", key: (one) => one.slo, number: true, cell: (one) => showSlo(one.slo) },
  {
    name: "window",
    key: (one) => one.window,
    number: true,
    minor: "minor",
    cell: (one) => showDuration(one.window),
  },
  {
    name: "requests",
    key: (one) => one.requests,
    number: true,
    minor: "minor",
    cell: (one) => showCount(one.requests),
  },
  { name: "failed", key: (one) => one.failures, number: true, cell: (one) => showCount(one.failures) },
  {
    name: "succeeded",
    key: succeeded,
    number: true,
    minor: "minor",
    cell: (one) => showSli(succeeded(one)),
  },
];

function succeeded(endpoint) {
  return endpoint.requests ? (endpoint.requests - endpoint.failures) / endpoint.requests : null;
}

const endpoints = new Table("endpoints", ENDPOINT_COLUMNS, data.endpoints, {
  noun: "endpoint",
  missing: data.raw.omitted.endpoints,
  size: 20,
  sorted: { column: ENDPOINT_COLUMNS[2], down: true },
});

// Filters and tools

function filterIncidents() {
  const [state, verdict] = [get("state").value, get("verdict").value];
  const matches = searchTexts(lowercaseTexts, get("search").value);
  incidents.filter(
    (one) =>
      (!state || one.state === state) && (!verdict || one.brokenBy.verdict === verdict) && matches(one.texts),
  );
}

function filterEndpoints() {
  const matches = searchTexts(lowercaseTexts, get("endpoint-search").value);
  endpoints.filter((one) => matches(one.texts));
}

function clearFilters() {
  get("filters").reset();
  filterIncidents();
}

for (const [id, words] of [
  ["state", data.raw.states],
  ["verdict", data.raw.verdicts],
]) {
  get(id).append(...words.map((word) => make("option", { value: word }, word)));
}
get("filters").addEventListener("input", filterIncidents);
get("endpoint-filters").addEventListener("input", filterEndpoints);
for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());

get("to-table").addEventListener("click", (event) => {
  event.preventDefault();
  if (!incidents.find(chosen)) clearFilters();
  const row = incidents.find(chosen);
  row.scrollIntoView({ block: "center" });
  row.querySelector(".toggle").focus({ preventScroll: true });
});

get("pan-back").addEventListener("click", () => view.pan(-0.5));
get("pan-forth").addEventListener("click", () => view.pan(0.5));
get("zoom-in").addEventListener("click", () => view.zoom(0.5, timeline.middle()));
get("zoom-out").addEventListener("click", () => view.zoom(2, timeline.middle()));
get("zoom-reset").addEventListener("click", () => view.reset());

function showView() {
  get("shown").textContent = `${showTime(view.from)} to ${showTime(view.to)}`;
  const whole = view.from === view.whole[0] && view.to === view.whole[1];
  get("zoom-out").disabled = get("zoom-reset").disabled = whole;
  get("pan-back").disabled = view.from <= view.whole[0];
  get("pan-forth").disabled = view.to >= view.whole[1];
}

view.onChange(showView);

// Printing has colours and a width of its own, set by the style sheet.

function redrawNow() {
  timeline.draw();
  chart.resize(get("chart").clientWidth);
}

window.addEventListener("beforeprint", () => {
  document.documentElement.dataset.printing = "";
  redrawNow();
});
window.addEventListener("afterprint", () => {
  delete document.documentElement.dataset.printing;
  redrawNow();
});

// Start

function showChanges() {
  const [first, last] = view.whole;
  const outside = data.deploys.filter(({ at }) => at < first || at > last).length;
  const common = data.deploys.filter(({ service }) => service === EVERY_SERVICE).length;
  const notes = [
    common ? `${showMany(common, "change")} of every service: a tick on each lane.` : "",
    outside ? `${showMany(outside, "change")} before or after the run: not shown here.` : "",
  ];
  get("changes").textContent = notes.filter(Boolean).join(" ");
}

showExtent(data);
showOmitted(data);
showMetrics(data);
showAccounting(data);
showRankings(data);
showView();
showChanges();
timeline.draw();
const busiest = data.endpoints.reduce(
  (most, one) => (most && most.incidents.length >= one.incidents.length ? most : one),
  null,
);
if (busiest && data.seriesNumbers.size) chart.show(busiest);
else get("chart-section").hidden = true;
const openAddress = () => openIncident(byAddress.get(location.hash));
window.addEventListener("hashchange", openAddress);
openAddress();
document.documentElement.dataset.ready = "";
performance.mark("ready");
