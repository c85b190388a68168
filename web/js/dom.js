// Small helpers for the document.

export const byId = (id) => document.getElementById(id);

/** Creates an element; `properties` are set as properties, `data-`, `aria-` and `role` as attributes. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(data-|aria-|role$)/.test(name)) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children);
  return node;
}

/** Sets text only where it changed: no needless layout, and live regions speak once. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The same for code: where it is too long for a line it breaks after a slash, and never after the hyphen of an option. */
export function setCode(node, text) {
  if (node.textContent === text) return;
  const parts = text.split(/(?<=[^/]\/)(?=\w)|(?<= )(-\S+)/).filter(Boolean);
  node.replaceChildren(...parts.flatMap((part) => {
    if (part.startsWith('-')) return [element('span', { className: 'option' }, part)];
    return part.endsWith('/') ? [part, element('wbr')] : [part];
  }));
}
