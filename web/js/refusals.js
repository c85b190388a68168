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

const STATUS = {
  signature_missing: 401, signature_expired: 410, signature_used: 410, signatures_full: 503, too_many_questions: 429,
  hook_failed: 503,
};

/** Whether there are words of the page's own for what the server said no with. */
export const hasWords = (said) => has(`refusal.${said?.code}`);

/** Why, in a few words: of a refusal, or of an error of the API. Where there are none of the page's own, the server's. */
export function reason({ code, detail, message }) {
  return hasWords({ code }) ? t(`refusal.${code}`) : detail || message || code;
}

/** What the server said, as far as it is more than that. */
export const more = (refusal) => (refusal.detail === reason(refusal) ? '' : refusal.detail ?? '');

/** Since when, in whole words; what is told is true for the moment. */
export const ago = ({ at }) => format.ago(performance.now() - at);

/** "Push refused 10 s ago: signature expired". */
export function sentence(refusal) {
  const kind = refusal.purpose === 'publish' ? 'push' : 'play';
  const words = t(`refusals.${kind}`, { ago: ago(refusal), reason: reason(refusal), stream: refusal.stream });
  return refusal.times > 1 ? t('refusals.times', { words, count: format.count(refusal.times) }) : words;
}
