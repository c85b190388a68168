// Decides when a stream that could not be played, or ended, is worth another try.

import { Retry } from './errors.js';

const RETRY_MIN_MS = 2000;
const RETRY_MAX_MS = 10_000;
const EXTERNAL_RETRY_MS = 3000;
// The list tells a stream's age, not its birth: allow for the way of the message.
const CLOCK_SLACK_MS = 300;

export class Waiter {
  #ready;
  #timer = 0;
  #waiting = null;
  #streams = new Map();
  #failures = 0;

  /** `ready()` is called once per `wait()` at most. */
  constructor(ready) {
    this.#ready = ready;
  }

  /** The newest list of the server; null while the server cannot be reached. */
  update(streams) {
    const now = performance.now();
    this.#streams = new Map((streams ?? []).map((stream) => [stream.name, {
      live: stream.state === 'live',
      startedAt: now - stream.uptime_ms,
    }]));
    this.#check();
  }

  wait(target, retry) {
    clearTimeout(this.#timer);
    this.#waiting = { target, retry, since: performance.now(), backoff: backoff(this.#failures) };
    this.#failures += 1;
    this.#check();
  }

  /** Ends the waiting; the next failure is followed by a quick try again. */
  reset() {
    clearTimeout(this.#timer);
    this.#waiting = null;
    this.#failures = 0;
  }

  #check() {
    if (!this.#waiting) return;
    clearTimeout(this.#timer);
    const { target, retry, since, backoff } = this.#waiting;
    const waited = performance.now() - since;
    if (retry === Retry.NEVER) return;
    if (!target.name) {
      if (retry === Retry.LISTED) this.#later(Math.max(backoff, EXTERNAL_RETRY_MS) - waited);
      return;
    }
    const stream = this.#streams.get(target.name);
    if (!stream?.live) return;
    if (stream.startedAt >= since - CLOCK_SLACK_MS) this.#later(0);
    else if (retry === Retry.LISTED) this.#later(backoff - waited);
  }

  #later(ms) {
    this.#timer = setTimeout(() => {
      this.#waiting = null;
      this.#ready();
    }, Math.max(0, ms));
  }
}

function backoff(failures) {
  return Math.min(RETRY_MIN_MS * 2 ** failures, RETRY_MAX_MS);
}
