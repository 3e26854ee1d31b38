"""Keeps the events of all sessions in the order in which they were sent, for clients that come back for the rest."""

from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp.types import JSONRPCMessage


class MemoryEventStore(EventStore):
    """Numbers the events, and never forgets one."""

    def __init__(self) -> None:
        self.events: list[tuple[StreamId, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: StreamId, message: JSONRPCMessage | None) -> EventId:
        """Keeps an event; one without a message is the empty one that begins a stream."""
        self.events.append((stream_id, message))
        return str(len(self.events))

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        """Sends the later events of the same stream."""
        last = int(last_event_id) if last_event_id.isdecimal() else 0
        if not 0 < last <= len(self.events):
            return None
        stream_id = self.events[last - 1][0]
        for number, (stream, message) in enumerate(self.events, start=1):
            if number > last and stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id
