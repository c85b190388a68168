// What was typed into "Stream name": a stream of this server, or an address anywhere.

const DEFAULT_APP = 'live';
const MAX_NAME_BYTES = 255;

/**
 * A target is `{name, query, url, host}`. `name` is `app/stream` when the stream is this server's, else null;
 * `url` is set when a whole address was typed. On failure `{problem}`: 'name-empty' or 'name-bad'.
 */
export function parseTarget(text, here = location) {
  const typed = text.trim();
  if (!typed) return { problem: 'name-empty' };
  if (/^(https?|wss?):\/\//i.test(typed)) return parseAddress(typed, here);
  // An address to push to, pasted here: what follows the host is the name.
  const path = typed.replace(/^rtmps?:\/\/[^/]*\//i, '');
  return parseName(path, here);
}

/** The address to play `target` from, over 'websocket' or 'http'. */
export function playUrl(target, transport, here = location) {
  if (target.url) return target.url;
  const secure = here.protocol === 'https:' ? 's' : '';
  const scheme = transport === 'websocket' ? `ws${secure}` : `http${secure}`;
  const path = target.name.split('/').map(encodeURIComponent).join('/');
  return `${scheme}://${here.host}/${path}.flv${target.query}`;
}

/** How a target is called in the texts of the page. */
export const targetLabel = (target) => target.name ?? target.url;

function parseAddress(typed, here) {
  let url;
  try {
    url = new URL(typed);
  } catch {
    return { problem: 'name-bad' };
  }
  const ours = url.host === here.host && url.pathname.endsWith('.flv');
  const named = ours ? parseName(safeDecode(url.pathname), here) : {};
  return { name: named.name ?? null, query: url.search, url: url.href, host: url.host };
}

function parseName(path, here) {
  const [bare, ...rest] = path.split('?');
  const query = rest.length ? `?${rest.join('?')}` : '';
  const parts = bare.replace(/^\/+|\/+$/g, '').replace(/\.flv$/i, '').split('/');
  if (parts.length === 1) parts.unshift(DEFAULT_APP);
  const name = parts.join('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..')
    || /\p{Cc}/u.test(name)
    || new TextEncoder().encode(name).length > MAX_NAME_BYTES;
  return bad ? { problem: 'name-bad' } : { name, query, url: null, host: here.host };
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
