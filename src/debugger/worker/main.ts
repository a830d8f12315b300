/** The worker: answers the page's requests one after the other, and lets the machine run between them. */
import type { Answer, Notice, Request } from '../messages.ts';
import { Session } from './session.ts';

const say = (message: Answer | Notice): void => { globalThis.postMessage(message); };
const session = new Session(say);

globalThis.addEventListener('message', (event: MessageEvent<Request>) => {
  const { id, name, takes } = event.data;
  try {
    say({ id, gives: session.answer(name, takes) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    say({ id, error: error.message });
  }
});
