// From the player's error to what is wrong, in kinds the page has words for, and when it is worth another try.

import { codecKind, codecName } from './codecs.js';
import { hasWords, reason } from './refusals.js';

/** When to start again by itself: whenever the stream is there, only once it is published anew, or not. */
export const Retry = { LISTED: 'listed', REPUBLISHED: 'republished', NEVER: 'never' };

/**
 * `failure` is the player's `{type, detail, info}`. `connected`: the page's own connection to the server is up.
 * Gives `{kind, retry, values, technical}`; `problem.<kind>.…` are the texts, `values` their gaps.
 */
export function diagnose({ type, detail, info = {} }, { target, connected }) {
  const technical = [type, detail, info.code, info.msg].filter((part) => part !== undefined && part !== '').join(' · ');
  const problem = (kind, retry, values = {}) => ({ kind, retry, values, technical });
  const external = !target.name;
  if (type === 'OtherError') return problem('other', Retry.REPUBLISHED);
  switch (detail) {
    case 'HttpStatusCodeInvalid':
      return httpProblem(problem, info, external);
    case 'ConnectingTimeout':
      return problem(connected || external ? 'timeout' : 'unreachable', Retry.LISTED);
    case 'Exception':
      if (external) return problem('external', Retry.LISTED);
      return problem(connected ? 'refused' : 'unreachable', Retry.LISTED);
    case 'EarlyEof':
    case 'UnrecoverableEarlyEof':
      return problem(connected || external ? 'lost' : 'unreachable', Retry.LISTED);
    case 'FormatError':
    case 'FormatUnsupported':
      return problem('not-flv', Retry.REPUBLISHED);
    case 'CodecUnsupported':
      return codecProblem(problem, info);
    case 'MediaMSEError':
      return problem('decode', Retry.REPUBLISHED);
    default:
      return problem('other', Retry.REPUBLISHED);
  }
}

/** A problem of the page itself, not of the stream. */
export const localProblem = (kind, technical = '') => ({ kind, retry: Retry.NEVER, values: {}, technical });

/** Nobody publishes the stream; there is nothing to add to that. */
export const notFound = () => ({ kind: 'not-found', retry: Retry.LISTED, values: {}, technical: '' });

function httpProblem(problem, { code, msg, context }, external) {
  if (code === 404) return external ? problem('external-not-found', Retry.LISTED) : notFound();
  const said = context?.problem;
  const values = { code, reason: reason({ code: said?.code, detail: msg || `HTTP ${code}` }) };
  if ([401, 403, 410].includes(code)) return problem('denied', Retry.NEVER, values);
  return problem(hasWords(said) ? 'busy' : 'http', Retry.LISTED, values);
}

function codecProblem(problem, info) {
  const codec = info.context?.codec;
  const kind = codecKind(codec ?? info.msg ?? '');
  if (!codec || !kind) return problem('codec', Retry.REPUBLISHED);
  const name = codecName(codec);
  const values = { codec: name === codec ? codec : `${name} (${codec})` };
  return problem(`codec-${kind}`, Retry.REPUBLISHED, values);
}
