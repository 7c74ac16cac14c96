// The metrics of the run, its accounting, what the page omits, and the rankings.

function showMetrics(data) {
  const metric = (name) => data.raw.overall[name][0];
  const states = [
    ["open", metric("repair.open")],
    ["expired", metric("repair.expired")],
  ];
  const remarks = states.filter(([, count]) => count).map(([word, count]) => `${showCount(count)} ${word}`);
  const left = metric("budget.left");
  const tiles = [
    ["incidents", showCount(metric("incidents")), remarks.join(", ") || "none of them open"],
    [
      "mean time to repair",
      showDuration(metric("repair.mean")),
      `of ${showCount(metric("repair.closed"))} closed`,
    ],
    ["median time to repair", showDuration(metric("repair.median")), showP90(metric("repair.p90"))],
    ["longest time to repair", showDuration(metric("repair.longest")), "of the closed incidents"],
    ["median time to detect", showDuration(metric("detection")), "from the change to the incident"],
    [
      "error budget left",
      showPercent(left),
      `${showCount(metric("budget.failures"))} failures, ${showAmount(metric("budget.allowed"))} allowed`,
    ],
    [
      "change failure rate",
      showShare(metric("delivery.change_failure_rate")),
      `${showCount(metric("delivery.failed"))} of ${showMany(metric("delivery.deployments"), "deployment")} are clear or likely causes${showFrequency(metric("delivery.frequency"))}`,
    ],
    ["deployment recovery time", showDuration(metric("delivery.recovery_time")), "median of the failed deployments"],
  ];
  get("metrics").append(
    ...tiles.map(([term, value, remark]) =>
      make("div", {}, make("dt", {}, term), make("dd", {}, value, make("small", {}, remark))),
    ),
  );
}

function showExtent(data) {
  const { services, endpoints } = data.raw.omitted;
  const counts = [
    showMany(data.serviceCount + services, "service"),
    showMany(data.endpoints.length + endpoints, "endpoint"),
  ].join(", ");
  const requests = `${showMany(data.raw.overall["budget.requests"][0], "request")}`;
  if (data.began === data.ended && !data.raw.accounting.accesses) {
    get("extent").append(`No request was counted. ${counts}.`);
    get("timeline").hidden = get("chart-section").hidden = true; // there is no time to show
    return;
  }
  const duration = data.ended - data.began;
  get("extent").append(
    moment(data.began),
    " to ",
    moment(data.ended),
    ` UTC (${showDuration(duration)}). ${counts}, ${requests}.`,
  );
}

/** States what the page omits of a long run. */
function showOmitted(data) {
  const counts = data.raw.omitted;
  const parts = [
    ["incident", counts.incidents, "the shortest"],
    ["endpoint", counts.endpoints, "those with the fewest incidents and requests"],
    ["service", counts.services, "those of the omitted endpoints"],
    ["change", counts.changes, "old ones that are candidates of no incident shown here"],
  ];
  const words = parts
    .filter(([, count]) => count)
    .map(([noun, count, which]) => `${showMany(count, noun)} (${which})`);
  if (counts.series) words.push(`the SLI over time of ${showMany(counts.series, "endpoint")}`);
  if (data.raw.cut) words.push(`the text beyond ${showMany(data.raw.maxLength, "character")}`);
  if (!words.length) return;
  get("omitted").hidden = false;
  get("omitted").textContent =
    `Omitted to keep this page small: ${words.join(", ")}. The metrics are those of the whole run.`;
}

/** The accounting by name. A lateness is in seconds; a count by reasons has a row for each reason. */
function showAccounting(data) {
  const rows = Object.entries(data.raw.accounting).flatMap(([name, count]) =>
    name === "largest_lateness"
      ? [[showName(name), showDuration(count)]]
      : typeof count === "object"
        ? Object.entries(count).map(([reason, part]) => [`${showName(name)}: ${reason}`, showCount(part)])
        : [[showName(name), showCount(count)]],
  );
  get("accounting").append(...describe(rows).children);
}

function showRankings(data) {
  const rankings = [
    ["endpoint", data.raw.ranking.byEndpoint],
    ["author", data.raw.ranking.byAuthor],
    ["commit", data.raw.ranking.byCommit],
  ];
  for (const [noun, ranking] of rankings) {
    if (!ranking.name.length) continue;
    const most = Math.max(...ranking.incidents);
    const rows = ranking.name.map((number, index) => {
      const name = data.text(number);
      const shown = noun === "commit" ? commitLink(data, name) : quote(name, 80);
      const bar = make("div", { class: "ranking-bar" });
      bar.style.width = `${(100 * ranking.incidents[index]) / most}%`;
      return make(
        "tr",
        {},
        make("td", {}, shown),
        make("td", { class: "bar", "aria-hidden": "true" }, bar),
        make("td", { class: "number" }, showCount(ranking.incidents[index])),
        make("td", { class: "number" }, showDuration(ranking.seconds[index])),
      );
    });
    const heads = [noun, "", "incidents", "lasted"].map((word, index) =>
      word ? make("th", { scope: "col", class: index > 1 ? "number" : null }, word) : make("td"),
    );
    const rest = ranking.more ? make("p", { class: "note" }, `and ${showCount(ranking.more)} more`) : "";
    const caption = make("caption", {}, `Most incidents by ${noun}`);
    get("ranking").append(
      make(
        "div",
        { class: "wide" },
        make(
          "table",
          { class: "lines" },
          caption,
          make("thead", {}, make("tr", {}, ...heads)),
          make("tbody", {}, ...rows),
        ),
        rest,
      ),
    );
  }
}

function showP90(p90) {
  return p90 === null ? "of the closed incidents" : `90 % within ${showDuration(p90)}`;
}

/** The frequency of deployments; a run that is too short has none. */
function showFrequency(frequency) {
  return frequency === null ? "" : `, ${showNumber(frequency)} a day`;
}
