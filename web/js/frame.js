// What all pages have around them: the language's button and whether the server is there.

import { byId, setText } from './dom.js';
import { htmlLang, initialLanguage, onLanguage, otherLanguage, rememberLanguage, setLanguage, t } from './i18n.js';

export class Frame {
  #connected = null;

  constructor() {
    byId('language').addEventListener('click', () => {
      const code = otherLanguage();
      rememberLanguage(code);
      const address = new URL(location.href);
      if (address.searchParams.has('lang')) {
        address.searchParams.set('lang', code);
        history.replaceState(null, '', address);
      }
      setLanguage(code);
    });
    onLanguage(() => this.#show());
  }

  /** Puts the texts in place, once all who have some are there. */
  ready() {
    setLanguage(initialLanguage(new URLSearchParams(location.search).get('lang')));
    document.documentElement.dataset.ready = '';
  }

  setConnected(connected) {
    this.#connected = connected;
    this.#show();
  }

  #show() {
    const button = byId('language');
    button.lang = htmlLang(otherLanguage());
    setText(button, t('page.otherLanguage'));
    const state = this.#connected === null ? 'connecting' : this.#connected ? 'online' : 'offline';
    const pill = byId('server');
    pill.dataset.state = state;
    setText(pill.querySelector('.server-text'), t(`server.${state}`));
  }
}
