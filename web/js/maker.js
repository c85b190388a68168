// Signed addresses, made by the server for whoever may have them: to push to, and to play from.

import { ask, qrUrl } from './api.js';
import { copyButton } from './copy.js';
import { byId, element, setCode, setText } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { isLoopback } from './push.js';
import { apiToken } from './token.js';

const LIVES = ['1h', '24h', '168h', '720h'];
/** What the server takes by itself, or less where it is told to. */
const USUAL_LIFE = '24h';
/** The parameters that a signature or a token comes in. */
const SIGNED = /[?&](sign|txSecret|token|md5)=/;

/** What a server tells that signs nothing. */
const NOTHING_SIGNED = { publish: false, play: false, maker: 'nobody', may: false };

export class Maker {
  /** `{name, publish, play}`: the parameters of what was made last, and the addresses to play from; or null. */
  #made = null;
  #sign = NOTHING_SIGNED;
  #name = '';
  #box = byId('sign');
  #why = byId('sign-why');
  #life = byId('sign-life');
  #make = byId('sign-make');
  #said = byId('sign-said');
  #plays = byId('sign-plays');
  #list = byId('sign-list');
  #qr = byId('sign-qr');
  #dialog;
  #onChange;

  /** `onChange()`: there is something new, or it is void now. */
  constructor(dialog, onChange) {
    this.#dialog = dialog;
    this.#onChange = onChange;
    this.#life.append(...LIVES.map((value) => {
      const option = element('option', { value });
      option.dataset.i18n = `sign.life.${value}`;
      return option;
    }));
    this.#life.value = USUAL_LIFE;
    this.#make.addEventListener('click', () => this.#go());
    onLanguage(() => this.#render());
  }

  /** What the server says it wants signed, and who may have it made. */
  setServer({ sign = NOTHING_SIGNED }) {
    this.#sign = sign;
    this.#render();
    this.#onChange();
  }

  /** The stream whose addresses are wanted. */
  setName(name) {
    this.#name = name;
    if (this.#made && this.#made.name !== name) this.#made = null;
    this.#render();
  }

  /** The parameters to push `name` with, without the `?`; empty where none are known. */
  publishQuery(name) {
    return this.#made?.name === name ? this.#made.publish : '';
  }

  /** Whether the server would refuse who pushes `target` as it is. */
  lacksSignature({ query }) {
    return this.#sign.publish && !SIGNED.test(query);
  }

  /** The query to play `target` with: its own, or one that the server signs. */
  async playQuery({ name, query, url }) {
    const mayAsk = this.#sign.may || (this.#sign.maker !== 'nobody' && apiToken());
    if (!this.#sign.play || !mayAsk || !name || url || SIGNED.test(query)) return query;
    try {
      const { query: signed } = await request(name, 'play', USUAL_LIFE);
      return signed ? `${query}${query ? '&' : '?'}${signed}` : query;
    } catch {
      // Not for us: the server says why when it is asked for the stream.
      return query;
    }
  }

  async #go() {
    const name = this.#name;
    const life = this.#life.value;
    this.#make.disabled = true;
    setText(this.#said, '');
    try {
      await this.#request(name, life);
    } catch (error) {
      if (error.isDenied) this.#dialog.askToken(() => this.#request(name, life));
      else setText(this.#said, t('sign.failed', { reason: error.message }));
    } finally {
      this.#make.disabled = false;
    }
  }

  async #request(name, life) {
    const wanted = ['publish', 'play'].map((purpose) => (this.#sign[purpose] ? request(name, purpose, life) : null));
    const [publish, play] = await Promise.all(wanted);
    if (name !== this.#name) return;
    this.#made = {
      name,
      publish: publish?.query ?? '',
      play: nearest(play?.urls ?? []),
      expiresAt: publish?.expires_at ?? play?.expires_at,
    };
    this.#render();
    this.#onChange();
  }

  #render() {
    const { publish, play, maker, may } = this.#sign;
    this.#box.hidden = !publish && !play;
    const wants = publish && play ? 'both' : publish ? 'publish' : 'play';
    setText(this.#why, t(`sign.wants.${wants}`) + (may ? '' : t('sign.elsewhere')));
    // Whoever has a token may, from wherever.
    this.#make.parentElement.hidden = maker === 'nobody';
    setText(this.#said, this.#made ? this.#words() : '');
    this.#renderPlays();
  }

  #words() {
    const { expiresAt } = this.#made;
    return expiresAt ? t('sign.until', { time: until(expiresAt) }) : t('sign.always');
  }

  #renderPlays() {
    const urls = this.#made?.play ?? [];
    this.#plays.hidden = urls.length === 0;
    this.#list.replaceChildren(...urls.map(({ protocol, url }) => {
      const button = element('button', { type: 'button', className: 'button small' }, t('copy.url'));
      button.dataset.i18n = 'copy.url';
      const code = element('code', { className: 'value' });
      setCode(code, url);
      const label = element('span', { className: 'label' }, LABELS[protocol] ?? t(`sign.${protocol}`));
      const row = element('div', { className: 'copy-row' }, label, code, button);
      copyButton(button, () => url);
      return row;
    }));
    const page = urls.find(({ protocol }) => protocol === 'page');
    this.#qr.parentElement.hidden = !page;
    if (!page) return;
    this.#qr.alt = t('sign.qr');
    const source = qrUrl(page.url);
    if (this.#qr.getAttribute('src') !== source) this.#qr.src = source;
  }
}

const LABELS = { 'http-flv': 'HTTP-FLV', 'ws-flv': 'WebSocket-FLV', rtmp: 'RTMP', rtmps: 'RTMPS' };

const request = (stream, purpose, life) => ask('sign', {
  method: 'POST',
  body: { stream, purpose, ...(life === USUAL_LIFE ? {} : { expires_in: life }) },
});

/**
 * Of the same address by several hosts, one each: the host that this page was opened with, since that evidently reaches the
 * server, unless only this computer knows it by that name; else one that others can reach. Under TLS as this page is.
 */
function nearest(urls) {
  const isTls = (url) => /^(https|wss|rtmps):/.test(url);
  const rank = ({ url }) => {
    const { hostname } = new URL(url.replace(/^\w+:/, 'http:'));
    const host = isLoopback(hostname) ? 0 : hostname === location.hostname ? 2 : 1;
    return 2 * host + (isTls(url) === isTls(location.href));
  };
  const found = new Map();
  for (const one of urls) {
    const known = found.get(one.protocol);
    if (!known || rank(one) > rank(known)) found.set(one.protocol, one);
  }
  return [...found.values()];
}

const until = (seconds) => new Date(seconds * 1000).toLocaleString(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' });
