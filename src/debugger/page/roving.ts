/**
 * Long lists for the keyboard: Tab comes to a list once, arrow keys go through what is in it, and Tab goes on behind it. WAI-ARIA Authoring Practices,
 * "Developing a Keyboard Interface", "Managing Focus Within Components Using a Roving tabindex".
 */
interface Roving {
  /** What can be gone to: a selector. */
  readonly items: string;
  /** What holds items that stand beside each other; without it each item is a row. */
  readonly rows?: string;
}

/** Rows that PageUp and PageDown go over. */
const PAGE_ROWS = 12;

/** Does so for what is in `list`, also where it is replaced. Enter and the space bar click on items that are no buttons. */
export function rove(list: HTMLElement, { items, rows = items }: Roving): void {
  let last = 0;
  const all = (): HTMLElement[] => [...list.querySelectorAll<HTMLElement>(items)].filter((item) => item.checkVisibility());
  /** One stop: what has the focus, or had it last. */
  const settle = (): void => {
    const everything = list.querySelectorAll<HTMLElement>(items), seen = all(), held = seen.indexOf(document.activeElement as HTMLElement);
    last = held >= 0 ? held : Math.max(0, Math.min(last, seen.length - 1));
    // What is not to be seen is asked for again before it is.
    if (seen.length === 0) return;
    for (const item of everything) item.tabIndex = item === seen[last] ? 0 : -1;
  };
  list.addEventListener('focusin', settle);
  list.addEventListener('keydown', (event) => {
    const here = event.target instanceof HTMLElement && event.target.matches(items) ? event.target : undefined;
    if (here === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const seen = all(), n = seen.indexOf(here);
    switch (event.key) {
      case 'ArrowRight': go(seen[n + 1]); break;
      case 'ArrowLeft': go(seen[n - 1]); break;
      case 'ArrowDown': go(rowAway(seen, here, rows, 1)); break;
      case 'ArrowUp': go(rowAway(seen, here, rows, -1)); break;
      case 'PageDown': go(rowAway(seen, here, rows, PAGE_ROWS)); break;
      case 'PageUp': go(rowAway(seen, here, rows, -PAGE_ROWS)); break;
      case 'Home': go(seen[0]); break;
      case 'End': go(seen.at(-1)); break;
      case 'Enter': case ' ':
        if (here.matches('button, summary')) return;
        here.click();
        break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  new MutationObserver(settle).observe(list, { childList: true, subtree: true });
  settle();
}

function go(item: HTMLElement | undefined): void {
  item?.focus();
  item?.scrollIntoView({ block: 'nearest' });
}

/** The item in the same place of a row so many rows away, or of the last one that there is. */
function rowAway(items: readonly HTMLElement[], from: HTMLElement, rows: string, by: number): HTMLElement | undefined {
  const inRows = new Map<Element, HTMLElement[]>();
  for (const item of items) {
    const row = item.closest(rows) ?? item, there = inRows.get(row);
    if (there === undefined) inRows.set(row, [item]);
    else there.push(item);
  }
  const every = [...inRows.values()], here = every.findIndex((row) => row.includes(from)), column = every[here]?.indexOf(from) ?? 0;
  const row = every[Math.min(every.length - 1, Math.max(0, here + by))];
  return row?.[Math.min(column, row.length - 1)];
}
