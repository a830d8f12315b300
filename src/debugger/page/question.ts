/** A question with two answers, one of which changes nothing and is the default: Enter and Escape give it. */
import { h } from './dom.ts';

export interface Question {
  readonly title: string;
  readonly text: string;
  /** What changes nothing. */
  readonly keep: string;
  readonly go: string;
}

/** Settles when it is answered: whether to go on. */
export function ask({ title, text, keep, go }: Question): Promise<boolean> {
  const cancel = h('button', { class: 'primary', autofocus: true, onclick: () => dialog.close() }, keep);
  const dialog = h('dialog', { 'class': 'question', 'role': 'alertdialog', 'aria-label': title, 'aria-describedby': 'question-text' },
    h('h2', {}, title), h('p', { id: 'question-text' }, text), h('div', { class: 'answers' }, cancel, h('button', { class: 'other', onclick: () => dialog.close('go') }, go)));
  // Until it is answered no key moves the machine.
  dialog.addEventListener('keydown', (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'go');
    });
  });
}
