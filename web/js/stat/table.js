// The table of streams: a row each, which opens to all there is to know of one.

import { byId, element, setText } from '../dom.js';
import { onLanguage, t } from '../i18n.js';
import { Row } from './row.js';

/** More rows than this help nobody, and a phone would not draw them. */
const MAX_ROWS = 200;
/** With fewer, everything is in sight anyhow. */
const MANY = 8;

const ORDERS = {
  name: (a, b) => a.name.localeCompare(b.name),
  viewers: (a, b) => b.viewers - a.viewers,
  bitrate: (a, b) => b.bitrate_kbps - a.bitrate_kbps,
  lag: (a, b) => b.lag_ms - a.lag_ms,
  jumps: (a, b) => b.jumps - a.jumps,
  newest: (a, b) => a.uptime_ms - b.uptime_ms,
};

export class StreamTable {
  #table = byId('stream-table');
  #tools = byId('tools');
  #filter = byId('filter');
  #order = byId('order');
  #count = byId('streams-count');
  #empty = byId('streams-empty');
  #rows = new Map();
  #streams = null;
  #refusals;
  #history;
  #actions;

  /** `actions`: `opened(name, isOpen)`, `kickStream(name)` and `kickSession(session)`. */
  constructor(history, refusals, actions) {
    this.#history = history;
    this.#refusals = refusals;
    this.#actions = actions;
    this.#filter.addEventListener('input', () => this.#render());
    this.#order.addEventListener('change', () => this.#render());
    this.#order.append(...Object.keys(ORDERS).map((value) => {
      const option = element('option', { value });
      option.dataset.i18n = `stat.order.${value}`;
      return option;
    }));
    onLanguage(() => {
      this.#render();
      for (const row of this.#rows.values()) row.relabel();
    });
  }

  /** The newest list; `changed` are the names whose plots have a new point. */
  update(streams, changed) {
    this.#streams = streams;
    this.#render();
    const now = performance.now();
    for (const name of changed) this.#rows.get(name)?.draw(this.#history.points(name), now);
  }

  /** Opens the stream `name` as soon as it is there. */
  open(name) {
    this.#rows.get(name)?.open();
  }

  /** The name of the stream that is open, or null. */
  get opened() {
    return [...this.#rows.values()].find((row) => row.isOpen)?.name ?? null;
  }

  showSessions(name, answer) {
    this.#rows.get(name)?.showSessions(answer);
  }

  /** Ages go on while nothing is told. */
  tick() {
    for (const [name, row] of this.#rows) row.showRefusal(this.#refusals.recent(name));
  }

  #render() {
    if (!this.#streams) return;
    const wanted = this.#filter.value.trim().toLowerCase();
    const fitting = this.#streams.filter(({ name }) => name.toLowerCase().includes(wanted));
    fitting.sort((a, b) => ORDERS[this.#order.value](a, b) || ORDERS.name(a, b));
    const shown = fitting.slice(0, MAX_ROWS);
    this.#keep(new Set(shown.map(({ name }) => name)));
    let place = this.#table.tHead;
    for (const stream of shown) {
      const row = this.#row(stream.name);
      row.show(stream, this.#refusals.newest(stream.name), this.#refusals.recent(stream.name));
      // Moving what is in place already would take the focus away.
      if (place.nextElementSibling !== row.node) place.after(row.node);
      place = row.node;
    }
    const total = this.#streams.length;
    this.#tools.hidden = total <= MANY && !wanted;
    this.#table.hidden = shown.length === 0;
    this.#empty.hidden = shown.length > 0;
    setText(this.#empty, t(total ? 'stat.noneFits' : 'stat.empty'));
    const cut = fitting.length > shown.length;
    setText(this.#count, cut ? t('stat.shownOf', { shown: shown.length, total: fitting.length }) : '');
    this.#count.hidden = !cut;
  }

  #keep(names) {
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.remove();
      this.#rows.delete(name);
    }
  }

  #row(name) {
    let row = this.#rows.get(name);
    if (!row) {
      row = new Row(name, {
        ...this.#actions,
        opened: (isOpen) => {
          // One at a time: each asks the server for its sessions.
          if (isOpen) for (const other of this.#rows.values()) if (other !== row) other.close();
          if (isOpen) row.draw(this.#history.points(name), performance.now());
          this.#actions.opened(name, isOpen);
        },
      });
      this.#rows.set(name, row);
      row.draw(this.#history.points(name), performance.now());
    }
    return row;
  }
}
