// Errors in plain words, with what to do.

import { byId, element } from './dom.js';
import { t } from './i18n.js';

export class Alert {
  #node = byId('alert');
  #shown = '';

  /** `problem` as errors.js gives it; `values` fill the gaps of its texts. Nothing to show: null. */
  show(problem, values) {
    const text = (part) => t(`problem.${problem.kind}.${part}`, { ...values, ...problem.values });
    const parts = problem ? [text('title'), text('text'), text('steps'), problem.technical] : [];
    // What is written anew is read out anew.
    if (parts.join('\n') === this.#shown) return;
    this.#shown = parts.join('\n');
    this.#node.replaceChildren();
    if (!problem) return;
    // Nothing is broken when all it takes is a publisher, or a click.
    this.#node.dataset.tone = /not-found$|^blocked$|^name-/.test(problem.kind) ? 'wait' : 'bad';
    const [title, explanation, steps, technical] = parts;
    this.#node.append(element('p', { className: 'alert-title' }, title), element('p', {}, explanation));
    if (steps) this.#node.append(element('ul', {}, ...steps.split('\n').map((step) => element('li', {}, step))));
    if (technical) this.#node.append(element('p', { className: 'technical' }, technical));
  }
}
