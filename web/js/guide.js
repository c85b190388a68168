// How to push: addresses, keys, snippets and the QR code, for the stream name in the box.

import { qrUrl } from './api.js';
import { copyButton } from './copy.js';
import { byId, element, setCode, setText } from './dom.js';
import { has, onLanguage, t } from './i18n.js';
import { commands, EXAMPLE, hostOf, isLoopback, pushAddresses } from './push.js';
import { tabs } from './tabs.js';

// The image follows the typing, but not every key.
const QR_DELAY_MS = 250;
const CODES = [1001, 1002, 1003, 1101, 1102, 3001, 3002, 3003, 3004, 3005, 5000, 10001, 10002, -1301, -1302, -1307];

export class Guide {
  #server = { push: [], rtmp_port: 1935, demo: null };
  #addresses = [];
  #target = null;
  #signed = () => '';
  #lacksSignature = () => false;
  #texts = {};
  #select = byId('address');
  #qr = byId('qr');
  #qrTimer = 0;
  #onChange;

  /** `onChange()`: the address to push to has changed. */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#select.addEventListener('change', () => this.#render());
    for (const button of document.querySelectorAll('[data-copy]')) {
      copyButton(button, () => this.#texts[button.dataset.copy]);
    }
    tabs(document.querySelector('[role=tablist]'));
    onLanguage(() => this.#render());
  }

  /** The address a publisher of `target` uses; empty before the server has told its own. */
  pushUrl(target) {
    const base = this.#select.value;
    return base ? commands(base, this.#sign(target)).url : '';
  }

  /**
   * `signed(name)` gives the parameters that the server wants of the publisher of `name`, as far as they are known;
   * `lacks(name)` whether some are missing, so that the address is of no use yet.
   */
  setSigned(signed, lacks) {
    this.#signed = signed;
    this.#lacksSignature = lacks;
    this.#render();
  }

  /** Adds them; without a target, to the example. */
  #sign(target) {
    const { name, query } = target?.name ? target : EXAMPLE;
    const signed = this.#signed(name);
    return signed ? { name, query: `?${signed}` } : { name, query };
  }

  setServer(server) {
    this.#server = server;
    this.#addresses = pushAddresses(server, location.hostname);
    this.#render();
  }

  setTarget(target) {
    this.#target = target;
    this.#render();
  }

  #render() {
    this.#renderAddresses();
    this.#renderCodes();
    const base = this.#select.value;
    if (!base) return;
    // The demo's name is taken: nobody is to push there.
    const signed = this.#sign(this.#target?.name === this.#server.demo ? null : this.#target);
    this.#texts = commands(base, signed);
    for (const node of document.querySelectorAll('[data-guide]')) setCode(node, this.#texts[node.dataset.guide]);
    setText(byId('address-hint'), t(this.#hint(base, signed)));
    setText(byId('trouble-firewall'), t('trouble.firewall', { port: this.#server.rtmp_port }));
    this.#qr.alt = t('guide.qr', { url: this.#texts.url });
    this.#qr.parentElement.dataset.useless = String(isLoopback(hostOf(base)) || this.#lacksSignature(signed));
    clearTimeout(this.#qrTimer);
    this.#qrTimer = setTimeout(() => this.#renderQr(), this.#qr.src ? QR_DELAY_MS : 0);
    this.#onChange();
  }

  #renderAddresses() {
    const chosen = this.#select.value;
    this.#select.replaceChildren(...this.#addresses.map((base) => {
      const host = hostOf(base);
      const address = base.startsWith('rtmps:') ? `${host} (RTMPS)` : host;
      const text = isLoopback(host) ? t('guide.thisComputer', { address }) : address;
      return element('option', { value: base }, text);
    }));
    if (this.#addresses.includes(chosen)) this.#select.value = chosen;
    byId('address-field').hidden = this.#addresses.length < 2;
  }

  #renderCodes() {
    byId('codes').replaceChildren(...CODES.filter((code) => has(`codes.${code}`)).flatMap((code) => [
      element('dt', {}, String(code).replace('-', '−')),
      element('dd', {}, t(`codes.${code}`)),
    ]));
  }

  #renderQr() {
    const source = qrUrl(this.#texts.url);
    if (this.#qr.getAttribute('src') !== source) this.#qr.src = source;
  }

  #hint(base, signed) {
    if (this.#lacksSignature(signed)) return 'guide.unsigned';
    if (!isLoopback(hostOf(base))) return 'guide.phone';
    return this.#addresses.every((one) => isLoopback(hostOf(one))) ? 'guide.noNetwork' : 'guide.loopback';
  }
}
