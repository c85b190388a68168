// Errors in plain words, with what to do.

import { byId, element } from './dom.js';
import { onLanguage, t } from './i18n.js';

export class Alert {
  #node = byId('alert');
  #problem = null;
  #values = {};

  constructor() {
    onLanguage(() => this.#problem && this.show(this.#problem, this.#values));
  }

  /** `problem` as errors.js gives it; `values` fill the gaps of its texts. Nothing to show: null. */
  show(problem, values = {}) {
    if (!problem) {
      if (this.#problem) this.#node.replaceChildren();
      this.#problem = null;
      return;
    }
    this.#problem = problem;
    this.#values = values;
    const text = (part) => t(`problem.${problem.kind}.${part}`, { ...values, ...problem.values });
    const steps = text('steps').split('\n').filter(Boolean);
    // Nothing is broken when all it takes is a publisher, or a click.
    this.#node.dataset.tone = /not-found$|^blocked$|^name-/.test(problem.kind) ? 'wait' : 'bad';
    this.#node.replaceChildren(
      element('p', { className: 'alert-title' }, text('title')),
      element('p', {}, text('text')),
      ...(steps.length ? [element('ul', {}, ...steps.map((step) => element('li', {}, step)))] : []),
      ...(problem.technical ? [element('p', { className: 'technical' }, problem.technical)] : []),
    );
  }
}
