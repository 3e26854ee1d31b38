// Keeps the events of one session in the order in which they were sent, for clients that come back for the rest.

export class EventStore {
    #events = [];

    async storeEvent(streamId, message) {
        this.#events.push({ streamId, message });
        return String(this.#events.length);
    }

    async getStreamIdForEventId(eventId) {
        return this.#events[Number(eventId) - 1]?.streamId;
    }

    async replayEventsAfter(lastEventId, { send }) {
        const streamId = await this.getStreamIdForEventId(lastEventId);
        for (const [index, event] of this.#events.entries()) {
            // An event without a method and an id is the empty one that begins a stream.
            const primes = Object.keys(event.message ?? {}).length === 0;
            if (index >= Number(lastEventId) && event.streamId === streamId && !primes) {
                await send(String(index + 1), event.message);
            }
        }
        return streamId;
    }
}
