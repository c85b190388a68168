// The server at a glance: what it is, how much goes on, and whom it turned away.

import { byId, element, setText } from '../dom.js';
import * as format from '../format.js';
import { onLanguage, t } from '../i18n.js';
import { ago, more, sentence } from '../refusals.js';

const MAX_REFUSALS = 50;

export class Summary {
  #cells = new Map([...document.querySelectorAll('[data-figure]')].map((node) => [node.dataset.figure, node]));
  #box = byId('refusals');
  #newest = byId('refusals-newest');
  #list = byId('refusals-list');
  #refusals;
  #server = null;
  #learntAt = 0;
  #streams = null;

  constructor(refusals) {
    this.#refusals = refusals;
    this.#box.addEventListener('toggle', () => this.#showRefusals());
    onLanguage(() => this.tick());
  }

  setServer(server) {
    this.#server = server;
    this.#learntAt = performance.now();
    this.tick();
  }

  setStreams(streams) {
    this.#streams = streams;
    this.tick();
  }

  /** Once a second: times go on while nothing is told. */
  tick() {
    const { version, connections, uptime_ms: uptime } = this.#server ?? {};
    const sum = (value) => this.#streams?.reduce((sum, stream) => sum + value(stream), 0);
    this.#set('streams', format.count(this.#streams?.length));
    this.#set('viewers', format.count(sum(({ viewers }) => viewers)));
    this.#set('bitrate', format.bitrate(sum((stream) => (stream.state === 'live' ? stream.bitrate_kbps : 0))));
    this.#set('connections', format.count(connections && connections.http + connections.rtmp));
    this.#set('uptime', uptime === undefined ? format.NOTHING : format.age(uptime + performance.now() - this.#learntAt));
    this.#set('version', version ?? format.NOTHING);
    this.#showRefusals();
  }

  #showRefusals() {
    const { list } = this.#refusals;
    this.#box.hidden = list.length === 0;
    if (list.length === 0) return;
    setText(this.#newest, `${list[0].stream}: ${sentence(list[0])}`);
    if (!this.#box.open) return;
    const shown = list.slice(0, MAX_REFUSALS);
    while (this.#list.childElementCount > shown.length) this.#list.lastElementChild.remove();
    while (this.#list.childElementCount < shown.length) this.#list.append(refusalItem());
    shown.forEach((refusal, index) => fillItem(this.#list.children[index], refusal));
  }

  #set(name, text) {
    setText(this.#cells.get(name), text);
  }
}

const refusalItem = () => element('li', {},
  element('span', { className: 'refusal-what' }), element('span', { className: 'refusal-who' }));

function fillItem(item, refusal) {
  const [what, who] = item.children;
  setText(what, `${refusal.stream}: ${sentence(refusal)}`);
  setText(who, [refusal.peer, more(refusal)].filter(Boolean).join(' · '));
  item.title = ago(refusal);
}
