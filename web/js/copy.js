// Copying text. navigator.clipboard exists in secure contexts only, and this page is often opened over plain
// HTTP at a LAN address: there the old command still works.

import { element } from './dom.js';
import { t } from './i18n.js';

const FEEDBACK_MS = 1600;

/** Copies `text()` when `button` is clicked, and says so on the button. */
export function copyButton(button, text) {
  const feedback = element('span', { className: 'sr', role: 'status' });
  button.after(feedback);
  let timer = 0;
  button.addEventListener('click', async () => {
    const done = await copy(text());
    const words = t(done ? 'copy.done' : 'copy.failed');
    button.textContent = words;
    button.dataset.copied = String(done);
    feedback.textContent = words;
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = t(button.dataset.i18n);
      delete button.dataset.copied;
      feedback.textContent = '';
    }, FEEDBACK_MS);
  });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(text);
  }
}

function copyByCommand(text) {
  const focused = document.activeElement;
  const field = element('textarea', { value: text, readOnly: true, className: 'sr' });
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  focused?.focus();
  return done;
}
