// One figure over the last minutes, as a line or as bars.

import { element, setText } from '../dom.js';
import { t } from '../i18n.js';
import * as format from '../format.js';
import { SPAN_MS } from './history.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 300;
const HEIGHT = 90;
// More between two points than this: the page did not hear from the server, or there was no stream.
const GAP_MS = 6000;
const SMALL_SPAN_MS = 2 * 60_000;
const MINUTES = SPAN_MS / 60_000;

/** What is drawn: the key of its texts, its numbers in words, the least height in its unit, and in which form. */
export const FIGURES = {
  bitrate: { text: format.bitrate, zero: '0', least: 100, form: 'line' },
  fps: { text: format.rate, zero: '0', least: 10, form: 'line' },
  lag: { text: format.ms, zero: '0', least: 300, form: 'line' },
  jumps: { text: (value) => String(value), zero: '0', least: 2, form: 'bars' },
};

/** The line alone, of the last two minutes, for a row of the table. */
export class Sparkline {
  node = svg('svg', { class: 'plot-small', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  #name;
  #shape;

  constructor(name) {
    this.#name = name;
    this.#shape = svg('path', { class: FIGURES[name].form });
    this.node.append(this.#shape);
  }

  draw(points, now) {
    const recent = points.filter(({ at }) => at >= now - SMALL_SPAN_MS);
    const top = ceiling(recent, this.#name);
    this.#shape.setAttribute('d', shape(recent, this.#name, top, { now, span: SMALL_SPAN_MS }));
  }
}

/** With its name, its scale and the value under the pointer. */
export class Plot {
  #name;
  #points = [];
  #now = 0;
  #pointed = null;
  #title = element('span', { className: 'plot-title' });
  #value = element('span', { className: 'plot-value' });
  #top = element('span', { className: 'plot-top' });
  #start = element('span');
  #end = element('span');
  #area = svg('path', { class: 'area' });
  #shape;
  #cursor = svg('path', { class: 'cursor' });
  #svg = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
  node = element('figure', { className: 'plot' },
    element('figcaption', {}, this.#title, this.#value),
    element('div', { className: 'plot-field' }, this.#svg, this.#top),
    element('div', { className: 'plot-time', 'aria-hidden': 'true' }, this.#start, this.#end));

  constructor(name) {
    this.#name = name;
    this.node.dataset.figure = name;
    this.#shape = svg('path', { class: FIGURES[name].form });
    const grid = svg('path', { class: 'grid', d: `M0 ${HEIGHT / 2}H${WIDTH}${verticals()}` });
    this.#svg.append(grid, this.#area, this.#shape, this.#cursor);
    this.#svg.addEventListener('pointermove', (event) => this.#point(event));
    this.#svg.addEventListener('pointerleave', () => this.#point(null));
  }

  draw(points, now) {
    this.#points = points;
    this.#now = now;
    this.render();
  }

  /** Also after a change of language. */
  render() {
    const { text, form } = FIGURES[this.#name];
    const top = ceiling(this.#points, this.#name);
    const title = t(`plot.${this.#name}`);
    setText(this.#title, title);
    setText(this.#top, text(top));
    setText(this.#start, t('plot.start', { minutes: MINUTES }));
    setText(this.#end, t('plot.now'));
    const line = shape(this.#points, this.#name, top, { now: this.#now, span: SPAN_MS });
    this.#shape.setAttribute('d', line);
    this.#area.setAttribute('d', form === 'line' ? filled(line) : '');
    const { shown, x } = this.#shown();
    setText(this.#value, shown);
    this.#cursor.setAttribute('d', x === null ? '' : `M${x} 0V${HEIGHT}`);
    this.#svg.setAttribute('aria-label', this.#summary(title, text));
  }

  /** The newest value, or the one under the pointer with its time. */
  #shown() {
    const { text, form } = FIGURES[this.#name];
    const known = this.#points.filter((point) => point[this.#name] !== null);
    if (!known.length) return { shown: format.NOTHING, x: null };
    if (this.#pointed === null) {
      const last = known.at(-1)[this.#name];
      // Bars are many small numbers: their sum says more than the last.
      const sum = known.reduce((sum, point) => sum + point[this.#name], 0);
      return { shown: form === 'bars' ? text(sum) : text(last), x: null };
    }
    const at = this.#now - SPAN_MS * (1 - this.#pointed);
    const point = known.reduce((best, one) => (Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best));
    return { shown: `${text(point[this.#name])} · ${format.ago(this.#now - point.at)}`, x: place(point.at, { now: this.#now, span: SPAN_MS }) };
  }

  #point(event) {
    const box = this.#svg.getBoundingClientRect();
    this.#pointed = event ? (event.clientX - box.left) / box.width : null;
    this.render();
  }

  /** For those who do not see it. */
  #summary(title, text) {
    const values = this.#points.map((point) => point[this.#name]).filter((value) => value !== null);
    if (!values.length) return title;
    return t('plot.summary', {
      title,
      minutes: MINUTES,
      now: text(values.at(-1)),
      least: text(Math.min(...values)),
      most: text(Math.max(...values)),
    });
  }
}

/** The value at the upper edge: a round one, so that it stays for a while. */
function ceiling(points, name) {
  const most = points.reduce((most, point) => Math.max(most, point[name] ?? 0), FIGURES[name].least);
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= most * 1.02) * power || 10 * power * 1.5;
}

function place(at, { now, span }) {
  return Math.round((1 - (now - at) / span) * WIDTH * 10) / 10;
}

function shape(points, name, top, time) {
  const height = (value) => Math.round((1 - value / top) * HEIGHT * 10) / 10;
  let path = '';
  let before = null;
  for (const point of points) {
    const value = point[name];
    if (value === null) {
      before = null;
      continue;
    }
    const x = place(point.at, time);
    if (FIGURES[name].form === 'bars') {
      if (value > 0) path += `M${x} ${HEIGHT}V${height(value)}`;
    } else {
      const joined = before !== null && point.at - before <= GAP_MS;
      path += `${joined ? 'L' : 'M'}${x} ${height(value)}`;
    }
    before = point.at;
  }
  return path;
}

/** The area under each piece of a line. */
function filled(line) {
  return line.split(/(?=M)/).filter((piece) => piece.includes('L')).map((piece) => {
    const from = /^M([\d.-]+)/.exec(piece)[1];
    const to = /([\d.-]+) [\d.-]+$/.exec(piece)[1];
    return `${piece}L${to} ${HEIGHT}L${from} ${HEIGHT}Z`;
  }).join('');
}

function verticals() {
  return Array.from({ length: MINUTES - 1 }, (_, index) => `M${((index + 1) * WIDTH) / MINUTES} 0V${HEIGHT}`).join('');
}

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
