// What the page shows, read from the JSON inside it. `packing.py` and `payload.py` wrote it.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Uint8Array(128);
for (let value = 0; value < DIGITS.length; value += 1) VALUES[DIGITS.charCodeAt(value)] = value;

const MILLIS = 1000; // of a second
const EVERYONE = -1; // in place of the service of a change that is one of every service

/** The JSON that stands in the page compressed, in base64. */
async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

function unpack(text) {
  const numbers = [];
  let number = 0;
  let unit = 1;
  for (let place = 0; place < text.length; place += 1) {
    const digit = VALUES[text.charCodeAt(place)];
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
  return unpackSigned(text).map((step) => (last += step));
}

/** How many stand in it, over and over: where each one's begin, and where the last one's end. */
function sumUp(counts) {
  const starts = [0];
  for (const count of counts) starts.push(starts[starts.length - 1] + count);
  return starts;
}

class Data {
  constructor(raw) {
    this.raw = raw;
    this.commitUrl = raw.commitUrl;
    this.services = raw.services; // those with figures, and then others that are only named
    this.counted = raw.metrics.incidents ? raw.metrics.incidents.length : 0;
    this.changes = this.readChanges(raw.changes);
    this.began = this.moment(raw.began);
    this.ended = this.moment(raw.ended);
    this.endpoints = this.readEndpoints(raw.endpoints);
    this.deploys = this.readDeploys(raw.deploys);
    this.incidents = this.readIncidents(raw.incidents);
    this.seriesNumbers = new Map(raw.series.endpoint.map((endpoint, number) => [endpoint, number]));
    this.count();
  }

  /** Seconds since the epoch. */
  moment(millis) {
    return this.raw.origin + millis / MILLIS;
  }

  /** From how many steps it is below 1: a thousand of them lead to the SLO. */
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
      texts: [verb[number], resource[number]], // their numbers, for the search
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

  /** Where a commit can be looked at; null where that isn't known, or not the whole commit is. */
  urlOf(commit) {
    if (commit === "" || this.commitUrl === null || commit.length > this.raw.longest) return null;
    return this.commitUrl.replaceAll("{commit}", () => encode(commit));
  }

  concerns(deploy, service) {
    return deploy.service === service || deploy.service === EVERYONE;
  }

  readIncidents(raw) {
    const columns = {};
    for (const name of ["endpoint", "state", "requests", "failures", "lowest"])
      columns[name] = unpack(raw[name]);
    for (const name of ["lasted", "onset", "lastFailure", "lowestAt"]) {
      columns[name] = unpackSigned(raw[name]).map((millis) => millis / MILLIS);
    }
    const brokenBy = this.readAttributions(raw.brokenBy, raw.id.length);
    const fixedBy = this.readAttributions(raw.fixedBy, raw.id.length);
    const coOccurring = unpack(raw.coOccurring.service);
    const ends = sumUp(unpack(raw.coOccurring.count));
    return unpackRising(raw.start).map((millis, number) => {
      const start = this.moment(millis);
      const endpoint = this.endpoints[columns.endpoint[number]];
      const state = this.raw.states[columns.state[number]];
      const lasted = state === "open" ? null : columns.lasted[number];
      return {
        number,
        id: raw.id[number],
        endpoint,
        state,
        start,
        end: lasted === null ? null : start + lasted,
        lasted,
        onset: start - columns.onset[number],
        lastFailure: start + columns.lastFailure[number],
        requests: columns.requests[number],
        failures: columns.failures[number],
        lowest: this.sli(columns.lowest[number], endpoint.slo),
        lowestAt: start + columns.lowestAt[number],
        burnRate: raw.burnRate[number],
        budgetBurnt: raw.budgetBurnt[number],
        coOccurring: coOccurring.slice(ends[number], ends[number + 1]),
        brokenBy: brokenBy[number],
        fixedBy: fixedBy[number],
      };
    });
  }

  readAttributions(raw, count) {
    const heads = unpack(raw.heads);
    const change = unpack(raw.change);
    const [age, evidence] = [raw.age, raw.evidence].map(unpackSigned);
    let head = 0;
    let candidate = 0;
    let compared = 0;
    const readCandidate = () => {
      const one = candidate++;
      return { ...this.changes[change[one]], age: age[one] / MILLIS };
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
      const shown = heads[head++];
      if (!shown) return null;
      const candidates = Array.from({ length: heads[head++] }, readCandidate);
      const verdict = this.raw.verdicts[(shown >> 1) - 1];
      return { verdict, candidates, omitted: heads[head++], evidence: shown & 1 ? readEvidence() : null };
    });
  }

  /** Which incidents each endpoint and each service has. */
  count() {
    this.incidentsOf = this.services.map(() => []);
    for (const incident of this.incidents) {
      incident.endpoint.incidents.push(incident);
      this.incidentsOf[incident.endpoint.service].push(incident);
    }
  }

  /** The end of an incident on a drawing: an open one's is that of the run. */
  shownEnd(incident) {
    return incident.end === null ? Math.max(this.ended, incident.start) : incident.end;
  }

  /** Columns of an endpoint's series, with an empty place wherever buckets without requests were. */
  series(endpoint) {
    const { series: raw, seriesStep: step } = this.raw;
    const number = this.seriesNumbers.get(endpoint.number);
    const columns = { at: [], requests: [], failures: [], sli: [] };
    if (number === undefined) return columns;
    const [requests, failures, lowest] = [raw.requests, raw.failures, raw.lowest].map((column) =>
      unpack(column[number]),
    );
    const put = (place, bucket) => {
      columns.at.push(this.moment(raw.first[number]) + place * step);
      columns.requests.push(bucket === null ? null : requests[bucket]);
      columns.failures.push(bucket === null ? null : failures[bucket]);
      columns.sli.push(bucket === null ? null : this.sli(lowest[bucket], endpoint.slo));
    };
    const runs = unpack(raw.places[number]);
    let place = 0;
    let bucket = 0;
    for (let run = 0; run < runs.length; run += 2) {
      if (runs[run]) put(place, null);
      place += runs[run];
      for (let end = bucket + runs[run + 1]; bucket < end; bucket += 1, place += 1) put(place, bucket);
    }
    if (place) put(place, null); // where the last bucket ends
    return columns;
  }
}
