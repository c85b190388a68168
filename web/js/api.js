// The server's API: questions, and the live list as it changes.

import { messages } from './sse.js';
import { apiToken } from './token.js';

const RETRY_MS = [500, 1000, 2000, 4000];
// The server says something every 15 s. A connection this quiet has ended without a word.
const QUIET_MS = 40_000;

/** What the server answered instead of what it was asked for; `status` 0: it could not be reached. */
export class ApiError extends Error {
  constructor(status, { code = '', detail = '' } = {}) {
    super(detail || code || `HTTP ${status}`);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }

  /** Whether a token, or another one, would help. */
  get isDenied() {
    return this.status === 401 || this.status === 403;
  }
}

/** Asks `/api/v1/<path>`; gives the answer's JSON, or null where it has none. Throws an `ApiError`. */
export async function ask(path, { method = 'GET', body, signal } = {}) {
  const headers = authorization();
  if (body !== undefined) headers['content-type'] = 'application/json';
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await request(path, { method, headers, body: text, signal });
  return response.status === 204 ? null : response.json();
}

/** GET /api/v1/server: ports, addresses to push to, the demo stream. */
export const fetchServer = () => ask('server');

/**
 * Follows /api/v1/events for as long as the page lives. `onStreams(streams, refusals)` gets each list;
 * `onConnection(connected, isDenied)` each change: a server may want a token first, and `retry()` of what is
 * returned tries again with it. Not EventSource: that can send no token, and does not tell why it was refused.
 */
export function watchStreams({ onStreams, onConnection }) {
  let failures = 0;
  let timer = 0;
  let controller = null;

  const connect = async () => {
    clearTimeout(timer);
    controller?.abort();
    const mine = new AbortController();
    controller = mine;
    let quiet = 0;
    let isDenied = false;
    const alive = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => mine.abort(), QUIET_MS);
    };
    try {
      const headers = { accept: 'text/event-stream', ...authorization() };
      const response = await request('events', { headers, signal: mine.signal });
      failures = 0;
      onConnection(true, false);
      alive();
      for await (const { type, data } of messages(response.body, alive)) {
        if (type !== 'streams') continue;
        const { streams, refusals = [] } = JSON.parse(data);
        onStreams(streams, refusals);
      }
    } catch (error) {
      isDenied = error.isDenied ?? false;
    }
    clearTimeout(quiet);
    if (mine !== controller) return;
    onConnection(false, isDenied);
    timer = setTimeout(connect, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
    failures += 1;
  };
  const disconnect = () => {
    clearTimeout(timer);
    controller?.abort();
    controller = null;
  };
  connect();
  // A page kept for the Back button would keep its connection too, and a browser has only six per server.
  addEventListener('pagehide', disconnect);
  addEventListener('pageshow', (event) => event.persisted && connect());
  return { retry: connect };
}

/** The image of the QR code of `text`. */
export const qrUrl = (text) => `/api/v1/qr?text=${encodeURIComponent(text)}`;

async function request(path, options) {
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, { cache: 'no-store', ...options });
  } catch (error) {
    throw new ApiError(0, { detail: String(error.message) });
  }
  if (response.ok) return response;
  throw new ApiError(response.status, await response.json().catch(() => ({})));
}

function authorization() {
  const token = apiToken();
  return token ? { authorization: `Bearer ${token}` } : {};
}
