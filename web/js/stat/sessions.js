// Who watches one stream.

import { element, setText } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';
import { program } from './agent.js';

/** As many as a person can look through; the server is asked for no more. */
export const MAX_SESSIONS = 200;
const HIGH_LAG_MS = 1000;
const COLUMNS = ['peer', 'agent', 'protocol', 'since', 'bytes', 'lag', 'jumps', 'action'];

export class SessionTable {
  #actions;
  #rows = new Map();
  #answer = null;
  #title = element('h3', { tabIndex: -1 });
  #note = element('p', { className: 'hint' });
  #body = element('tbody', { role: 'rowgroup' });
  #table;
  node;

  constructor(actions) {
    this.#actions = actions;
    const heads = COLUMNS.map((column) => {
      const text = element('span', { className: column === 'action' ? 'sr' : '' }, t(`session.${column}`));
      text.dataset.i18n = `session.${column}`;
      return element('th', { scope: 'col', role: 'columnheader' }, text);
    });
    this.#table = element('table', { className: 'sessions', role: 'table', hidden: true },
      element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads)), this.#body);
    this.node = element('section', { className: 'viewers' }, this.#title, this.#note, this.#table);
    this.render();
  }

  /** `{sessions, total}`, or `{error}`. */
  show(answer) {
    this.#answer = answer;
    this.render();
  }

  render() {
    const { sessions, total = 0, error } = this.#answer ?? {};
    setText(this.#title, sessions ? t('session.title', { count: format.count(total) }) : t('session.titleOnly'));
    this.#table.setAttribute('aria-label', this.#title.textContent);
    setText(this.#note, this.#words(sessions, total, error));
    this.#note.hidden = !this.#note.textContent;
    if (sessions) this.#fill(sessions);
  }

  #words(sessions, total, error) {
    if (error) return error.isDenied ? t('stat.denied') : t('session.failed');
    if (!sessions) return t('session.asking');
    if (total === 0) return t('session.none');
    return total > sessions.length ? t('stat.shownOf', { shown: sessions.length, total: format.count(total) }) : '';
  }

  #fill(sessions) {
    const ids = new Set(sessions.map(({ id }) => id));
    // Whoever has just used a row's button stays in the table when the row goes.
    let lostFocus = false;
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      lostFocus ||= row.node.contains(document.activeElement);
      row.node.remove();
      this.#rows.delete(id);
    }
    let before = null;
    for (const session of sessions) {
      let row = this.#rows.get(session.id);
      if (!row) {
        row = new SessionRow(session, this.#actions);
        this.#rows.set(session.id, row);
      }
      row.show(session);
      const place = before ? before.nextElementSibling : this.#body.firstElementChild;
      if (place !== row.node) this.#body.insertBefore(row.node, place);
      before = row.node;
    }
    this.#table.hidden = sessions.length === 0;
    if (lostFocus) this.#title.focus();
  }
}

class SessionRow {
  #cells = Object.fromEntries(COLUMNS.map((column) => [column, element('td', { className: `session-${column}`, role: 'cell' })]));
  #button = element('button', { type: 'button', className: 'button small danger' });
  node;

  constructor(session, actions) {
    this.#button.addEventListener('click', () => actions.kickSession(session));
    this.#cells.action.append(this.#button);
    this.node = element('tr', { role: 'row' }, ...Object.values(this.#cells));
  }

  show({ peer, agent, protocol, since_ms: since, bytes, lag_ms: lag, lag_bytes: lagBytes, jumps }) {
    setText(this.#cells.peer, peer);
    setText(this.#cells.agent, program(agent) || t('session.unknown'));
    this.#cells.agent.title = agent;
    setText(this.#cells.protocol, protocol.toUpperCase());
    setText(this.#cells.since, format.duration(since));
    setText(this.#cells.bytes, format.bytes(bytes));
    setText(this.#cells.lag, format.ms(lag));
    this.#cells.lag.dataset.label = t('session.lag');
    this.#cells.lag.title = format.bytes(lagBytes);
    this.#cells.lag.classList.toggle('bad', lag >= HIGH_LAG_MS);
    setText(this.#cells.jumps, format.count(jumps));
    setText(this.#button, t('session.disconnect'));
    this.#button.setAttribute('aria-label', t('session.disconnectWho', { peer }));
  }
}
