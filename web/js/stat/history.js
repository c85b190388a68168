// What streams were like in the last minutes, as far as this page has seen it.

/** How far back, in milliseconds. */
export const SPAN_MS = 5 * 60_000;
const STEP_MS = 1000;
// Streams that have ended are remembered for a while too, in case they come back.
const MAX_STREAMS = 1000;

/** The figures that are drawn, and where they are in what the server tells of a stream. */
const FIGURES = {
  bitrate: (stream) => stream.bitrate_kbps,
  fps: (stream) => (stream.state === 'live' ? stream.video?.fps ?? null : 0),
  lag: (stream) => stream.lag_ms,
  // The server counts them; what is drawn is how many are new.
  jumps: (stream, before) => (before ? Math.max(0, stream.jumps - before.jumps) : 0),
};

export class History {
  #streams = new Map();

  /** The server's list, as it was just told. Gives the names that have got a new point. */
  add(streams, now = performance.now()) {
    const changed = new Set();
    for (const stream of streams) {
      const known = this.#streams.get(stream.name) ?? { points: [], last: null, at: -Infinity };
      this.#streams.set(stream.name, known);
      if (now - known.at < STEP_MS) continue;
      const point = { at: now };
      for (const [name, value] of Object.entries(FIGURES)) point[name] = value(stream, known.last);
      known.points.push(point);
      known.at = now;
      known.last = stream;
      changed.add(stream.name);
    }
    this.#forget(now);
    return changed;
  }

  /** The points of the stream `name`, oldest first: `{at, bitrate, fps, lag, jumps}`. */
  points(name) {
    return this.#streams.get(name)?.points ?? [];
  }

  #forget(now) {
    for (const [name, { points, at }] of this.#streams) {
      while (points.length && points[0].at < now - SPAN_MS) points.shift();
      if (at < now - SPAN_MS || this.#streams.size > MAX_STREAMS && at < now) this.#streams.delete(name);
    }
  }
}
