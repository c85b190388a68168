// Names that nobody may publish for a while, because an operator stopped their streams; and the way back.

import { byId, element, setText } from '../dom.js';
import * as format from '../format.js';
import { onLanguage, t } from '../i18n.js';

export class Bans {
  #box = byId('bans');
  #list = byId('bans-list');
  #items = new Map();
  #bans = [];
  #onLift;

  /** `onLift(name)`: somebody wants the ban of `name` to end. */
  constructor(onLift) {
    this.#onLift = onLift;
    onLanguage(() => this.tick());
  }

  /** The server's list: `{stream, left_ms}`. */
  update(bans) {
    const now = performance.now();
    this.#bans = bans.map(({ stream, left_ms: left }) => ({ stream, until: now + left }));
    this.tick();
  }

  /** Times go on while nothing is told. */
  tick() {
    const now = performance.now();
    const bans = this.#bans.filter(({ until }) => until > now);
    this.#box.hidden = bans.length === 0;
    const names = new Set(bans.map(({ stream }) => stream));
    for (const [name, item] of this.#items) {
      if (names.has(name)) continue;
      item.node.remove();
      this.#items.delete(name);
    }
    for (const { stream, until } of bans) {
      const item = this.#items.get(stream) ?? this.#item(stream);
      setText(item.words, t('bans.left', { stream, time: format.age(until - now) }));
      setText(item.button, t('bans.lift'));
      item.button.setAttribute('aria-label', t('bans.liftName', { stream }));
    }
  }

  #item(name) {
    const words = element('span');
    const button = element('button', { type: 'button', className: 'button small' });
    button.addEventListener('click', () => this.#onLift(name));
    const item = { node: element('li', {}, words, button), words, button };
    this.#items.set(name, item);
    this.#list.append(item.node);
    return item;
  }
}
