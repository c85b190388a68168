// Tabs by the ARIA pattern: arrow keys move, the focused tab shows its panel.

export function tabs(list) {
  const all = [...list.querySelectorAll('[role=tab]')];
  const select = (tab) => {
    for (const one of all) {
      const chosen = one === tab;
      one.setAttribute('aria-selected', String(chosen));
      one.tabIndex = chosen ? 0 : -1;
      document.getElementById(one.getAttribute('aria-controls')).hidden = !chosen;
    }
  };
  list.addEventListener('click', (event) => {
    const tab = event.target.closest('[role=tab]');
    if (tab) select(tab);
  });
  list.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -all.length, End: all.length }[event.key];
    if (!step) return;
    event.preventDefault();
    const from = all.indexOf(document.activeElement);
    const to = Math.abs(step) > 1 ? (step < 0 ? 0 : all.length - 1) : (from + step + all.length) % all.length;
    all[to].focus();
    select(all[to]);
  });
}
