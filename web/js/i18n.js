// The page's language: which one, its texts, and putting them into the document.

import en from './i18n/en.js';
import zh from './i18n/zh.js';

const TABLES = { en, zh };
const HTML_LANG = { en: 'en', zh: 'zh-CN' };
const STORAGE_KEY = 'pushpull.lang';
const listeners = new Set();

let language = 'en';

/** The text of `key` with every `{name}` replaced from `values`. */
export function t(key, values = {}) {
  const text = TABLES[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const has = (key) => key in TABLES[language];
export const currentLanguage = () => language;
export const otherLanguage = () => (language === 'en' ? 'zh' : 'en');
export const htmlLang = (code) => HTML_LANG[code];

/** Calls `listener` after each change of language. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/** `?lang=`, else the choice made here before, else the browser's first language that we have. */
export function initialLanguage(parameter) {
  const wanted = [parameter, remembered(), ...(navigator.languages ?? [])];
  for (const tag of wanted) {
    const code = tag?.slice(0, 2).toLowerCase();
    if (Object.hasOwn(TABLES, code ?? '')) return code;
  }
  return 'en';
}

export function setLanguage(code) {
  language = code;
  document.documentElement.lang = HTML_LANG[code];
  for (const node of document.querySelectorAll('[data-i18n]')) node.textContent = t(node.dataset.i18n);
  for (const node of document.querySelectorAll('[data-i18n-label]')) {
    node.setAttribute('aria-label', t(node.dataset.i18nLabel));
  }
  for (const node of document.querySelectorAll('[data-i18n-placeholder]')) {
    node.placeholder = t(node.dataset.i18nPlaceholder);
  }
  for (const listener of listeners) listener();
}

export function rememberLanguage(code) {
  try {
    localStorage.setItem(STORAGE_KEY, code);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

function remembered() {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}
