import type { EventStream } from '../../core/notify/event-stream.js';
import { eventToBody } from '../wire/index.js';
import { EventReader } from './event-reader.js';

/** What happens in one namespace, told to everybody who reads it here: however many they are, the database is asked once. */
export class EventFeed {
  readonly #events: EventStream;
  readonly #readers = new Set<EventReader>();
  readonly #onEmpty: () => void;

  /** `onEmpty` is called once there is nobody left, or no more to come: nobody may come any more then. */
  constructor(events: EventStream, onEmpty: () => void) {
    this.#events = events;
    this.#onEmpty = onEmpty;
  }

  /** Somebody who is told what happens from when it resolves on, until he leaves: `onLeave` is called then. Raises what following events raises. */
  async join(onLeave: () => void): Promise<EventReader> {
    const reader = new EventReader(() => {
      onLeave();
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#close();
    });
    this.#readers.add(reader);
    try {
      await this.#events.ready;
    } catch (error) {
      reader.leave();
      throw error;
    }
    return reader;
  }

  /** Tells until nobody reads any more. What ends it otherwise ends the streams of all readers: their clients come again, and are told why. */
  async run(): Promise<void> {
    try {
      await this.#events.ready;
      for await (const event of this.#events) {
        const message = `data: ${JSON.stringify(eventToBody(event))}\n\n`;
        for (const reader of this.#readers) reader.tell(message);
      }
    } catch {
      // Whoever follows it next meets the same error as the answer to his request.
    } finally {
      this.#close();
      for (const reader of this.#readers) reader.leave();
    }
  }

  #close(): void {
    this.#onEmpty();
    void this.#events.return();
  }
}
