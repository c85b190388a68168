// Who was turned away, and why: as the server remembers it.

import * as format from './format.js';
import { has, t } from './i18n.js';

/** What happened before that is no news. */
const RECENT_MS = 10 * 60_000;

export class Refusals {
  /** The newest first, each with the time it happened at, by this page's clock. */
  list = [];

  /** The server's list. */
  update(refusals) {
    const now = performance.now();
    this.list = refusals.map((refusal) => ({ ...refusal, at: now - refusal.ago_ms }));
  }

  /** The newest about the stream `name`, or undefined. */
  newest(name) {
    return this.list.find((refusal) => refusal.stream === name);
  }

  /** The same if it is news; of those with a `purpose`, where there is one, that `fits`. */
  recent(name, { purpose, within = RECENT_MS, fits = () => true } = {}) {
    const now = performance.now();
    return this.list.find((refusal) => refusal.stream === name && now - refusal.at < within
      && (!purpose || refusal.purpose === purpose) && fits(refusal));
  }

  /** The newest of each stream that is not among `names`, as far as they are news. */
  recentOthers(names, max) {
    const found = new Map();
    for (const refusal of this.list) {
      if (found.size >= max || performance.now() - refusal.at >= RECENT_MS) break;
      if (!names.has(refusal.stream) && !found.has(refusal.stream)) found.set(refusal.stream, refusal);
    }
    return [...found.values()];
  }
}

/** The status that HTTP has for it. */
export const statusOf = ({ code }) => STATUS[code] ?? 403;

const STATUS = { signature_missing: 401, signature_expired: 410, hook_failed: 503 };

/** Why, in a few words. */
export function reason({ code, detail }) {
  return has(`refusal.${code}`) ? t(`refusal.${code}`) : detail || code;
}

/** Since when, in whole words; what is told is true for the moment. */
export const ago = ({ at }) => format.ago(performance.now() - at);

/** "Push refused 10 s ago: signature expired". */
export function sentence(refusal) {
  const kind = refusal.purpose === 'publish' ? 'push' : 'play';
  return t(`refusals.${kind}`, { ago: ago(refusal), reason: reason(refusal), stream: refusal.stream });
}
