// The server's API: what it is, and the live list as it changes.

const RETRY_MS = [500, 1000, 2000, 4000];

/** GET /api/v1/server: ports, addresses to push to, the demo stream. */
export async function fetchServer() {
  const response = await fetch('/api/v1/server', { cache: 'no-store' });
  if (!response.ok) throw new Error(`/api/v1/server: ${response.status}`);
  return response.json();
}

/**
 * Follows /api/v1/events for as long as the page lives. `onStreams(streams)` gets each list;
 * `onConnection(connected)` each change. EventSource gives up for good on an HTTP error, and waits long
 * otherwise, so reconnecting is done here.
 */
export function watchStreams({ onStreams, onConnection }) {
  let failures = 0;
  let source;
  let timer;
  const connect = () => {
    source = new EventSource('/api/v1/events');
    source.addEventListener('open', () => {
      failures = 0;
      onConnection(true);
    });
    source.addEventListener('streams', (event) => onStreams(JSON.parse(event.data).streams));
    source.addEventListener('error', () => {
      source.close();
      onConnection(false);
      timer = setTimeout(connect, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
      failures += 1;
    });
  };
  connect();
  // A page kept for the Back button would keep its connection too, and a browser has only six per server.
  addEventListener('pagehide', () => {
    clearTimeout(timer);
    source.close();
  });
  addEventListener('pageshow', (event) => event.persisted && connect());
}

/** The image of the QR code of `text`. */
export const qrUrl = (text) => `/api/v1/qr?text=${encodeURIComponent(text)}`;
