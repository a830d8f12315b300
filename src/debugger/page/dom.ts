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

/** Puts other children into an element. What stands in the place of what had the focus gets it. */
export function replaceContent(element: HTMLElement, children: readonly Node[]): void {
  const path = pathTo(element, document.activeElement);
  element.replaceChildren(...children);
  const there = path?.reduce<Element | undefined>((at, n) => at?.children[n], element);
  if (there instanceof HTMLElement) there.focus({ preventScroll: true });
}

/** The way down to an element inside of another one, by the numbers of children; undefined: it is not inside. */
function pathTo(from: Element, to: Element | null): number[] | undefined {
  const path: number[] = [];
  for (let at = to; at !== null; at = at.parentElement) {
    if (at === from) return path.length === 0 ? undefined : path;
    path.unshift([...at.parentElement?.children ?? []].indexOf(at));
  }
  return undefined;
}

export const hex = (value: bigint | number, digits = 1): string => value.toString(16).padStart(digits, '0');
/** 12,345. */
export const grouped = (count: number): string => count.toLocaleString('en-US');
/** `1.2 M`. */
export function short(count: number): string {
  for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['k', 1e3]] as const) if (count >= size) return `${(count / size).toFixed(count < 10 * size ? 2 : count < 100 * size ? 1 : 0)} ${unit}`;
  return String(Math.round(count));
}
