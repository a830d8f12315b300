/** Making elements: names, attributes and listeners in one call. */
type Child = Node | string | undefined | false;
type Properties = Readonly<Record<string, string | number | boolean | undefined | ((event: never) => void)>>;

/** An element. A function is a listener (`onclick`), true an empty attribute, false and undefined no attribute. Text is never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, properties: Properties = {}, ...children: readonly Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  dress(element, properties);
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

/** The same for SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(tag: K, properties: Properties = {}, ...children: readonly Node[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  dress(element, properties);
  element.append(...children);
  return element;
}

function dress(element: Element, properties: Properties): void {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value as (event: Event) => void);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
}

const FOCUSABLE = 'button, input, select, summary, [tabindex]';

/**
 * Puts other children into an element. What had the focus keeps it: the thing of the same `data-key`, or what stands in its place; where it is gone, what
 * came after it, or before; where nothing is left, the first control of the pane.
 */
export function replaceContent(element: HTMLElement, children: readonly (Node | string)[]): void {
  const { activeElement } = document, held = activeElement !== null && activeElement !== element && element.contains(activeElement) ? activeElement : undefined;
  const keyed = held?.closest<HTMLElement>('[data-key]') ?? undefined;
  const root = keyed !== undefined && element.contains(keyed) ? keyed.dataset['key'] : undefined;
  const path = held === undefined ? [] : pathTo(element, held), within = keyed === undefined || held === undefined ? [] : pathTo(keyed, held);
  element.replaceChildren(...children);
  if (held === undefined) return;
  const same = root === undefined ? undefined : [...element.querySelectorAll<HTMLElement>('[data-key]')].find(({ dataset }) => dataset['key'] === root);
  const there = same === undefined ? follow(element, path) : follow(same, within);
  const next = focusableIn(there) ?? focusableIn(element) ?? focusableIn(element.closest('[role="tabpanel"]'));
  next?.focus({ preventScroll: true });
}

/** The way down to an element inside of another one, by the numbers of children. */
function pathTo(from: Element, to: Element): number[] {
  const path: number[] = [];
  for (let at: Element = to; at !== from; at = at.parentElement!) path.unshift([...at.parentElement!.children].indexOf(at));
  return path;
}

/** The element at the end of a path, or the nearest to it. */
const follow = (from: Element, path: readonly number[]): Element => path.reduce((at, n) => at.children[n] ?? at.lastElementChild ?? at, from);

/** The element itself, or the first in it, that can have the focus. */
function focusableIn(element: Element | null): HTMLElement | undefined {
  if (element === null) return undefined;
  const found = element.matches(FOCUSABLE) ? element : element.querySelector(FOCUSABLE);
  return found instanceof HTMLElement ? found : undefined;
}

export const hex = (value: bigint | number, digits = 1): string => value.toString(16).padStart(digits, '0');
/** 12,345. */
export const grouped = (count: number): string => count.toLocaleString('en-US');
/** `1.2 M`. */
export function short(count: number): string {
  for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['k', 1e3]] as const) if (count >= size) return `${(count / size).toFixed(count < 10 * size ? 2 : count < 100 * size ? 1 : 0)} ${unit}`;
  return String(Math.round(count));
}
