/** The worker as the page sees it: requests are promises, notices are listened to. */
import type { Answer, Notice, RequestName, Requests } from '../messages.ts';

export class Client {
  readonly #worker: Worker;
  readonly #open = new Map<number, { readonly resolve: (gives: never) => void; readonly reject: (reason: Error) => void }>();
  #next = 1;
  onNotice: (notice: Notice) => void = () => {};

  constructor(url: string) {
    this.#worker = new Worker(url, { type: 'module' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Answer | Notice>) => {
      if ('notice' in data) {
        this.onNotice(data);
        return;
      }
      const open = this.#open.get(data.id);
      this.#open.delete(data.id);
      if ('error' in data) open?.reject(new Error(data.error));
      else open?.resolve(data.gives as never);
    });
    this.#worker.addEventListener('error', (event) => this.onNotice({ notice: 'failed', message: event.message }));
  }

  /** Rejects with the worker's reason. */
  ask<N extends RequestName>(name: N, ...[takes]: Requests[N]['takes'] extends undefined ? [] : [Requests[N]['takes']]): Promise<Requests[N]['gives']> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, takes });
    });
  }
}
