// Signed addresses, made by the server for whoever may have them: to push to, and to play from.

import { ask, qrUrl } from './api.js';
import { copyButton } from './copy.js';
import { byId, element, setCode, setText } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { isLoopback } from './push.js';
import { reason } from './refusals.js';
import { apiToken } from './token.js';

const LIVES = ['1h', '24h', '168h', '720h'];
/** What the server takes by itself, or less where it is told to. */
const USUAL_LIFE = '24h';
/** The parameters that a signature or a token comes in. */
const SIGNED = /[?&](sign|txSecret|token|md5)=/;

/** What a server tells that signs nothing. */
const NOTHING_SIGNED = { publish: false, play: false, maker: 'nobody', may: false, forms: [], signs_address: false };

export class Maker {
  /** `{name, publish, play}`: the parameters of what was made last, and the addresses to play from; or null. */
  #made = null;
  #sign = NOTHING_SIGNED;
  #name = '';
  #box = byId('sign');
  #why = byId('sign-why');
  #life = byId('sign-life');
  #form = byId('sign-form');
  #address = byId('sign-address');
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
    this.#form.addEventListener('change', () => this.#render());
    this.#make.addEventListener('click', () => this.#go());
    onLanguage(() => this.#render());
  }

  /** What the server says it wants signed, and who may have it made. */
  setServer({ sign = NOTHING_SIGNED }) {
    this.#sign = sign;
    this.#offerForms();
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
      const { query: signed } = await request(name, 'play');
      return signed ? `${query}${query ? '&' : '?'}${signed}` : query;
    } catch {
      // Not for us: the server says why when it is asked for the stream.
      return query;
    }
  }

  /** Every way to sign that the server takes; the first is the one it chooses by itself. */
  #offerForms() {
    const { forms } = this.#sign;
    const before = this.#form.value;
    this.#form.replaceChildren(...forms.map((form) => {
      const option = element('option', { value: form }, t(`sign.form.${form}`));
      option.dataset.i18n = `sign.form.${form}`;
      return option;
    }));
    if (forms.includes(before)) this.#form.value = before;
  }

  get #wantsAddress() {
    return this.#form.value === 'nginx' && this.#sign.signs_address;
  }

  async #go() {
    const name = this.#name;
    const how = { life: this.#life.value, form: this.#form.value };
    if (this.#wantsAddress) how.address = this.#address.value.trim();
    setText(this.#said, '');
    if (how.address === '') {
      setText(this.#said, t('sign.address.missing'));
      this.#address.focus();
      return;
    }
    this.#make.disabled = true;
    try {
      await this.#request(name, how);
    } catch (error) {
      if (error.isDenied) this.#dialog.askToken(() => this.#request(name, how));
      // All else in what is sent is out of lists.
      else if (how.address && error.status < 500 && error.code === 'bad_body') setText(this.#said, t('sign.address.wrong'));
      else setText(this.#said, t('sign.failed', { reason: reason(error) }));
      this.#said.title = error.message;
    } finally {
      this.#make.disabled = false;
    }
  }

  async #request(name, how) {
    const wanted = ['publish', 'play'].map((purpose) => (this.#sign[purpose] ? request(name, purpose, how) : null));
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
    // One way only is nothing to choose from.
    this.#form.parentElement.hidden = maker === 'nobody' || this.#sign.forms.length < 2;
    this.#address.parentElement.hidden = maker === 'nobody' || !this.#wantsAddress;
    this.#life.parentElement.hidden = this.#form.value === 'token';
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
    this.#qr.parentElement.parentElement.hidden = !page;
    if (!page) return;
    this.#qr.alt = t('sign.qr');
    const source = qrUrl(page.url);
    if (this.#qr.getAttribute('src') !== source) this.#qr.src = source;
  }
}

const LABELS = { 'http-flv': 'HTTP-FLV', 'ws-flv': 'WebSocket-FLV', rtmp: 'RTMP', rtmps: 'RTMPS' };

/** What is not said, the server chooses. */
const request = (stream, purpose, { life = USUAL_LIFE, form, address } = {}) => ask('sign', {
  method: 'POST',
  body: { stream, purpose, form: form || undefined, address, expires_in: life === USUAL_LIFE ? undefined : life },
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
