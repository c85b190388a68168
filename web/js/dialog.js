// Asks before somebody is thrown out, and for a token where the server wants one.

import { element, setText } from './dom.js';
import { t } from './i18n.js';
import { reason } from './refusals.js';
import { apiToken, setApiToken } from './token.js';

/** How long a name is refused after its stream was stopped, as the API takes it. */
const BANS = ['0s', '1m', '10m', '1h', '24h'];
// Encoders connect again by themselves: without a ban, stopping them would do nothing.
const USUAL_BAN = '1m';

export class Dialog {
  #title = element('h2', { id: 'dialog-title' });
  #text = element('p', { id: 'dialog-text' });
  #ban = element('select', { id: 'dialog-ban' });
  #banField = field('dialog.ban', this.#ban);
  #token = element('input', { id: 'dialog-token', type: 'password', autocomplete: 'off', spellcheck: false });
  #tokenField = field('dialog.token', this.#token);
  #error = element('p', { className: 'dialog-error', role: 'alert', hidden: true });
  #cancel = element('button', { type: 'button', className: 'button' });
  #confirm = element('button', { type: 'submit', className: 'button' });
  #form = element('form', { autocomplete: 'off' }, this.#title, this.#text, this.#banField, this.#tokenField, this.#error,
    element('div', { className: 'actions' }, this.#cancel, this.#confirm));
  #node = element('dialog', { className: 'dialog', 'aria-labelledby': 'dialog-title', 'aria-describedby': 'dialog-text' }, this.#form);
  #act = null;

  constructor() {
    document.body.append(this.#node);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#go();
    });
    this.#cancel.addEventListener('click', () => this.#node.close());
    // A click beside it is a no, as Escape is.
    this.#node.addEventListener('click', (event) => event.target === this.#node && this.#node.close());
    this.#node.addEventListener('close', () => (this.#act = null));
  }

  /**
   * `texts`: `{title, text, confirm}`, and `ban` where a time can be chosen. `act({ban})` does it: what it throws is shown,
   * and where it is a denial, a token asked for.
   */
  ask({ title, text, confirm, ban = false, isDanger = true }, act) {
    this.#act = act;
    setText(this.#title, title);
    setText(this.#text, text);
    setText(this.#cancel, t('dialog.cancel'));
    setText(this.#confirm, confirm);
    this.#confirm.classList.toggle('danger', isDanger);
    this.#confirm.classList.toggle('primary', !isDanger);
    this.#banField.hidden = !ban;
    this.#ban.replaceChildren(...BANS.map((value) => element('option', { value }, t(`dialog.ban.${value}`))));
    this.#ban.value = USUAL_BAN;
    for (const one of [this.#banField, this.#tokenField]) setText(one.firstElementChild, t(one.dataset.text));
    this.#tokenField.hidden = true;
    this.#say('');
    this.#node.showModal();
  }

  /** For a token alone; `done()` is called with it in force, and may find that it is not enough. */
  askToken(done) {
    const texts = { title: t('dialog.token.title'), text: t('dialog.token.text'), confirm: t('dialog.token.confirm') };
    this.ask({ ...texts, isDanger: false }, done);
    this.#wantToken();
  }

  async #go() {
    if (!this.#act || this.#confirm.disabled) return;
    if (!this.#tokenField.hidden) setApiToken(this.#token.value.trim() || null);
    this.#confirm.disabled = true;
    this.#say('');
    const act = this.#act;
    try {
      await act({ ban: this.#ban.value });
      if (act === this.#act) this.#node.close();
    } catch (error) {
      if (act === this.#act) this.#failed(error);
    } finally {
      this.#confirm.disabled = false;
    }
  }

  #failed(error) {
    const hadToken = !this.#tokenField.hidden && this.#token.value !== '';
    if (error.isDenied) {
      this.#say(t(hadToken ? 'dialog.token.wrong' : 'dialog.token.needed'));
      this.#wantToken();
    } else if (error.status === 404) {
      this.#say(t('dialog.gone'));
    } else {
      this.#say(error.status === 0 ? t('server.offline') : t('dialog.failed', { reason: reason(error) }));
    }
  }

  #wantToken() {
    if (this.#tokenField.hidden) this.#token.value = apiToken() ?? '';
    this.#tokenField.hidden = false;
    this.#token.focus();
    this.#token.select();
  }

  #say(text) {
    setText(this.#error, text);
    this.#error.hidden = !text;
  }
}

function field(text, control) {
  const node = element('div', { className: 'field', hidden: true }, element('label', { htmlFor: control.id }), control);
  node.dataset.text = text;
  return node;
}
