/** A menu at the pointer, or below what opened it: arrow keys, Enter, Escape. */
import { h } from './dom.ts';

export type MenuItems = readonly (readonly [label: string, action: () => void])[];

let open: HTMLElement | undefined;

export function showMenu(from: HTMLElement, items: MenuItems, at?: { readonly clientX: number; readonly clientY: number }): void {
  closeMenu(false);
  const { left, bottom } = from.getBoundingClientRect();
  const menu = h('div', { 'class': 'menu', 'role': 'menu', 'aria-label': from.getAttribute('aria-label') ?? from.textContent }, ...items.map(([label, action]) => h('button', { role: 'menuitem', onclick: () => {
    closeMenu();
    action();
  } }, label)));
  menu.style.left = `${Math.min(at?.clientX ?? left, innerWidth - 240)}px`;
  menu.style.top = `${Math.min(at?.clientY ?? bottom, innerHeight - 30 * items.length - 16)}px`;
  menu.addEventListener('keydown', (event) => {
    const buttons = [...menu.querySelectorAll('button')], here = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (event.key === 'Escape') closeMenu();
    else if (step !== 0) buttons[(here + step + buttons.length) % buttons.length]!.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  menu.addEventListener('focusout', (event) => { if (!menu.contains(event.relatedTarget as Node | null)) closeMenu(false); });
  document.body.append(menu);
  open = menu;
  opener = from;
  menu.querySelector('button')!.focus();
}

let opener: HTMLElement | undefined;
function closeMenu(returnFocus = true): void {
  const menu = open;
  open = undefined;
  menu?.remove();
  if (returnFocus && opener?.isConnected === true) opener.focus();
}
