// The records of the page, read from the JSON inside it that `payload.py` wrote.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Uint8Array(128);
for (let value = 0; value < DIGITS.length; value += 1) VALUES[DIGITS.charCodeAt(value)] = value;

const MILLIS = 1000; // of a second
const EVERY_SERVICE = -1; // the service of a change that applies to every service

/** The JSON of the page, which is compressed and in base64. */
async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

function unpack(text) {
  const numbers = [];
  let number = 0;
  let unit = 1;
  for (let index = 0; index < text.length; index += 1) {
    const digit = VALUES[text.charCodeAt(index)];
    number += (digit & 31) * unit; // not shifted: a time has more than 32 bits
    if (digit & 32) {
      unit *= 32;
    } else {
      numbers.push(number);
      number = 0;
      unit = 1;
    }
  }
  return numbers;
}

function unpackSigned(text) {
  return unpack(text).map((number) => (number % 2 ? -(number - 1) / 2 : number / 2));
}

function unpackRising(text) {
  let last = 0;
  return unpackSigned(text).map((difference) => (last += difference));
}

/** Cumulated counts: where the items of each owner start, and where those of the last one end. */
function cumulate(counts) {
  const starts = [0];
  for (const count of counts) starts.push(starts[starts.length - 1] + count);
  return starts;
}

/** The most probable candidate, the later one of two; null if none is possible. */
function findSuspect(candidates) {
  let suspect = null;
  for (const one of candidates)
    if (one.probability && (!suspect || one.probability >= suspect.probability)) suspect = one;
  return suspect;
}

/** The commit that an attribution names; "" if no known change is more probable. */
function namedBy({ verdict, suspect }) {
  return suspect && verdict !== "unexplained" && verdict !== "none" ? suspect.commit : "";
}

class Data {
  constructor(raw) {
    this.raw = raw;
    this.commitUrl = raw.commitUrl;
    this.services = raw.services; // first those with metrics, then those that are only named
    this.serviceCount = raw.metrics.incidents ? raw.metrics.incidents.length : 0;
    this.changes = this.readChanges(raw.changes);
    this.began = this.moment(raw.began);
    this.ended = this.moment(raw.ended);
    this.endpoints = this.readEndpoints(raw.endpoints);
    this.deploys = this.readDeploys(raw.deploys);
    this.incidents = this.readIncidents(raw.incidents);
    this.seriesNumbers = new Map(raw.series.endpoint.map((endpoint, number) => [endpoint, number]));
    this.groupIncidents();
  }

  /** Seconds since the epoch. */
  moment(millis) {
    return this.raw.origin + millis / MILLIS;
  }

  /** An SLI from its distance below 1 in steps, of which `sliSteps` lead to the SLO. */
  sli(steps, slo) {
    return 1 - (steps / this.raw.sliSteps) * (1 - slo || 0.001);
  }

  text(number) {
    return this.raw.texts[number];
  }

  readEndpoints(raw) {
    const [service, verb, resource, requests, failures] = [
      raw.service,
      raw.verb,
      raw.resource,
      raw.requests,
      raw.failures,
    ].map(unpack);
    return raw.slo.map((slo, number) => ({
      number,
      service: service[number],
      verb: this.text(verb[number]),
      resource: this.text(resource[number]),
      texts: [verb[number], resource[number]], // numbers of texts, for the search
      slo,
      window: raw.window[number],
      requests: requests[number],
      failures: failures[number],
      incidents: [],
    }));
  }

  readChanges(raw) {
    const [author, date] = [raw.author, raw.date].map(unpack);
    return unpack(raw.commit).map((commit, number) => ({
      commit: this.text(commit),
      author: this.text(author[number]),
      date: this.text(date[number]),
      texts: [commit, author[number]],
    }));
  }

  readDeploys(raw) {
    const [service, change] = [raw.service, raw.change].map(unpack);
    return unpackRising(raw.at).map((at, number) => ({
      ...this.changes[change[number]],
      service: service[number] - 1,
      at: this.moment(at),
    }));
  }

  /** The address of a commit; null if the page has none, or if the commit was cut. */
  urlOf(commit) {
    if (commit === "" || this.commitUrl === null || commit.length > this.raw.maxLength) return null;
    return this.commitUrl.replaceAll("{commit}", () => encode(commit));
  }

  concerns(deploy, service) {
    return deploy.service === service || deploy.service === EVERY_SERVICE;
  }

  readIncidents(raw) {
    const columns = {};
    for (const name of ["endpoint", "state", "requests", "failures", "minSli"])
      columns[name] = unpack(raw[name]);
    for (const name of ["duration", "onset", "lastFailure", "minSliAt"]) {
      columns[name] = unpackSigned(raw[name]).map((millis) => millis / MILLIS);
    }
    const brokenBy = this.readAttributions(raw.brokenBy, raw.id.length);
    const fixedBy = this.readAttributions(raw.fixedBy, raw.id.length);
    const coOccurring = unpack(raw.coOccurring.service);
    const ends = cumulate(unpack(raw.coOccurring.count));
    return unpackRising(raw.start).map((millis, number) => {
      const start = this.moment(millis);
      const endpoint = this.endpoints[columns.endpoint[number]];
      const state = this.raw.states[columns.state[number]];
      const duration = state === "open" ? null : columns.duration[number];
      return {
        number,
        id: raw.id[number],
        endpoint,
        state,
        start,
        end: duration === null ? null : start + duration,
        duration,
        onset: start - columns.onset[number],
        lastFailure: start + columns.lastFailure[number],
        requests: columns.requests[number],
        failures: columns.failures[number],
        minSli: this.sli(columns.minSli[number], endpoint.slo),
        minSliAt: start + columns.minSliAt[number],
        burnRate: raw.burnRate[number],
        budgetConsumed: raw.budgetConsumed[number],
        coOccurring: coOccurring.slice(ends[number], ends[number + 1]),
        brokenBy: brokenBy[number],
        fixedBy: fixedBy[number],
      };
    });
  }

  readAttributions(raw, count) {
    const headers = unpack(raw.headers);
    const change = unpack(raw.change);
    const [age, delay, evidence] = [raw.age, raw.delay, raw.evidence].map(unpackSigned);
    const [probability, unexplained] = [raw.probability, raw.unexplained].map((packed) =>
      unpack(packed).map((steps) => steps / this.raw.probabilitySteps),
    );
    let header = 0;
    let candidate = 0;
    let compared = 0;
    let attribution = 0;
    const readCandidate = () => {
      const one = candidate++;
      return {
        ...this.changes[change[one]],
        age: age[one] / MILLIS,
        delay: delay[one] / MILLIS,
        probability: probability[one],
      };
    };
    const readEvidence = () => {
      const [before, failedBefore, after, failedAfter, low, high] = evidence.slice(compared, compared + 6);
      compared += 6;
      return {
        before: { requests: before, failures: failedBefore },
        after: { requests: after, failures: failedAfter },
        difference: failedAfter / after - failedBefore / before,
        low: low / this.raw.boundSteps,
        high: high / this.raw.boundSteps,
      };
    };
    return Array.from({ length: count }, () => {
      const flags = headers[header++];
      if (!flags) return null;
      const candidates = Array.from({ length: headers[header++] }, readCandidate);
      const verdict = this.raw.verdicts[(flags >> 1) - 1];
      return {
        verdict,
        candidates,
        suspect: findSuspect(candidates),
        unexplained: unexplained[attribution++],
        omitted: headers[header++],
        evidence: flags & 1 ? readEvidence() : null,
      };
    });
  }

  /** Gives each endpoint and each service its incidents. */
  groupIncidents() {
    this.incidentsOf = this.services.map(() => []);
    for (const incident of this.incidents) {
      incident.endpoint.incidents.push(incident);
      this.incidentsOf[incident.endpoint.service].push(incident);
    }
  }

  /** The end of an incident in a drawing; an open incident ends with the run. */
  shownEnd(incident) {
    return incident.end === null ? Math.max(this.ended, incident.start) : incident.end;
  }

  /** The columns of an endpoint's SLI series. A gap, which has no requests, is one entry of nulls. */
  series(endpoint) {
    const { series: raw, seriesStep: step } = this.raw;
    const number = this.seriesNumbers.get(endpoint.number);
    const columns = { at: [], requests: [], failures: [], sli: [] };
    if (number === undefined) return columns;
    const [requests, failures, minSli] = [raw.requests, raw.failures, raw.minSli].map((column) =>
      unpack(column[number]),
    );
    const put = (position, bucket) => {
      columns.at.push(this.moment(raw.first[number]) + position * step);
      columns.requests.push(bucket === null ? null : requests[bucket]);
      columns.failures.push(bucket === null ? null : failures[bucket]);
      columns.sli.push(bucket === null ? null : this.sli(minSli[bucket], endpoint.slo));
    };
    const runs = unpack(raw.runs[number]);
    let position = 0;
    let bucket = 0;
    for (let run = 0; run < runs.length; run += 2) {
      if (runs[run]) put(position, null);
      position += runs[run];
      for (let end = bucket + runs[run + 1]; bucket < end; bucket += 1, position += 1) put(position, bucket);
    }
    if (position) put(position, null); // the end of the last bucket
    return columns;
  }
}
