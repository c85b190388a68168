// One stream in the table: its figures now, and below them, when opened, everything else.

import { codecName } from '../codecs.js';
import { element, setText } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';
import { sentence } from '../refusals.js';
import { Detail } from './detail.js';
import { Sparkline } from './plot.js';

// A stream whose slowest viewer is this far behind, or whose key frames are this far apart, has a problem.
const HIGH_LAG_MS = 1000;
const LONG_GOP_MS = 4500;
const HIGH_JITTER_MS = 150;
const HIGH_OFFSET_MS = 200;

let count = 0;

export class Row {
  node = element('tbody', { role: 'rowgroup' });
  name;
  isOpen = false;
  #actions;
  #stream = null;
  #detail = null;
  #id = `detail-${++count}`;
  #dot = element('span', { className: 'dot', 'aria-hidden': 'true' });
  #button = element('button', { type: 'button', className: 'opener', 'aria-expanded': 'false' });
  #note = element('span', { className: 'stream-note' });
  #cells = {};
  #sparks = {};
  #detailRow = null;

  constructor(name, actions) {
    this.name = name;
    this.#actions = actions;
    this.#button.append(this.#dot, element('span', { className: 'stream-name' }, name));
    this.#button.addEventListener('click', () => this.#toggle());
    const head = element('th', { scope: 'row', role: 'rowheader' }, this.#button, this.#note);
    const cells = COLUMNS.map((column) => this.#cell(column));
    const row = element('tr', { className: 'stream-row', role: 'row' }, head, ...cells);
    row.addEventListener('click', (event) => {
      // Whoever selects an address to copy it does not want the row to open.
      if (!event.target.closest('button') && getSelection().isCollapsed) this.#toggle();
    });
    this.node.append(row);
  }

  /** `refusal` is the newest about it, `recent` the same while it is news. */
  show(stream, refusal, recent) {
    this.#stream = stream;
    const { video, audio, source } = stream;
    const isLive = stream.state === 'live';
    this.node.dataset.state = stream.state;
    this.#set('picture', video ? codecName(video.codec_string || video.codec) : t('stat.none'), video ? format.size(video.width, video.height) : '');
    this.#set('sound', audio ? codecName(audio.codec_string || audio.codec) : t('stat.none'));
    this.#set('fps', isLive && video?.fps ? format.rate(video.fps) : format.NOTHING);
    this.#set('bitrate', isLive ? format.bitrate(stream.bitrate_kbps) : format.NOTHING);
    this.#set('viewers', format.count(stream.viewers));
    this.#set('lag', format.ms(stream.lag_ms), '', stream.lag_ms >= HIGH_LAG_MS);
    this.#set('jumps', format.count(stream.jumps));
    this.#set('gop', format.ms(stream.gop_ms), '', stream.gop_ms > LONG_GOP_MS);
    this.#set('jitter', format.ms(stream.jitter_ms), '', stream.jitter_ms >= HIGH_JITTER_MS);
    this.#set('offset', format.ms(stream.av_offset_ms), '', Math.abs(stream.av_offset_ms) >= HIGH_OFFSET_MS);
    this.#set('publisher', source.peer || source.protocol, source.agent);
    this.#set('uptime', format.duration(stream.uptime_ms));
    this.showRefusal(recent);
    this.#detail?.show(stream, refusal);
  }

  /** What is wrong with it, if anything, in the line below its name. */
  showRefusal(refusal) {
    const texts = [];
    if (this.#stream?.state === 'waiting') texts.push(t('streams.reconnecting'));
    if (refusal) texts.push(sentence(refusal));
    setText(this.#note, texts.join(' · '));
    this.#note.hidden = texts.length === 0;
    this.#note.title = refusal?.detail ?? '';
  }

  draw(points, now) {
    for (const spark of Object.values(this.#sparks)) spark.draw(points, now);
    this.#detail?.draw(points, now);
  }

  showSessions(answer) {
    this.#detail?.showSessions(answer);
  }

  relabel() {
    this.#detail?.relabel();
  }

  open() {
    if (this.isOpen) return;
    this.isOpen = true;
    this.#detail = new Detail(this.name, this.#actions);
    this.#detail.show(this.#stream);
    this.#detailRow = element('tr', { id: this.#id, className: 'detail-row', role: 'row' },
      element('td', { role: 'cell', 'aria-colspan': COLUMNS.length + 1 }, this.#detail.node));
    this.node.append(this.#detailRow);
    this.#button.setAttribute('aria-expanded', 'true');
    this.#button.setAttribute('aria-controls', this.#id);
    this.#actions.opened(true);
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#detail = null;
    this.#detailRow.remove();
    this.#button.setAttribute('aria-expanded', 'false');
    this.#button.removeAttribute('aria-controls');
    this.#actions.opened(false);
  }

  remove() {
    this.close();
    this.node.remove();
  }

  #toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  #cell(column) {
    const value = element('span', { className: 'cell-value' });
    const more = element('span', { className: 'cell-more' });
    const label = element('span', { className: 'cell-label', 'aria-hidden': 'true' }, t(`stat.column.${column.name}`));
    label.dataset.i18n = `stat.column.${column.name}`;
    const cell = element('td', { className: `cell-${column.name}`, role: 'cell' }, label, value, more);
    if (column.figure) {
      this.#sparks[column.figure] = new Sparkline(column.figure);
      cell.append(this.#sparks[column.figure].node);
    }
    this.#cells[column.name] = { cell, value, more };
    return cell;
  }

  #set(name, text, more = '', isBad = false) {
    const { cell, value, more: second } = this.#cells[name];
    setText(value, text);
    setText(second, more);
    second.title = more;
    cell.classList.toggle('bad', isBad);
  }
}

/** In the order of the table's head. */
const COLUMNS = [
  { name: 'picture' },
  { name: 'sound' },
  { name: 'fps', figure: 'fps' },
  { name: 'bitrate', figure: 'bitrate' },
  { name: 'viewers' },
  { name: 'lag', figure: 'lag' },
  { name: 'jumps' },
  { name: 'gop' },
  { name: 'jitter' },
  { name: 'offset' },
  { name: 'publisher' },
  { name: 'uptime' },
];
