// The token for the server's API, where it wants one. It is kept for as long as the tab is open, and no longer.

const STORAGE_KEY = 'pushpull.token';

let kept = null;

export function apiToken() {
  try {
    return sessionStorage.getItem(STORAGE_KEY) ?? kept;
  } catch {
    return kept;
  }
}

/** Keeps `token`; null forgets it. */
export function setApiToken(token) {
  kept = token;
  try {
    if (token) sessionStorage.setItem(STORAGE_KEY, token);
    else sessionStorage.removeItem(STORAGE_KEY);
  } catch {
    // Storage may be forbidden; the token then lasts as long as the page.
  }
}
