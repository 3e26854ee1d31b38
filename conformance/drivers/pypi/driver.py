"""The conversation that turncoat holds with the driver of a client; ../README.md has the protocol.

A driver is a class with one method for each kind of wish that its SDK can fulfil (`connect`, `list`, `call`, ...), which
returns what came of it, and a dictionary `shown` of what its host would see.
"""

import asyncio
import json
import sys

ROOT = "file:///home/ada/project"
# Whoever pages for ever is not followed for ever.
MOST_PAGES = 100
# Whoever never answers is not waited for for ever, in seconds; left to themselves, the SDKs do wait.
PATIENCE = 30


class Unsupported(Exception):
    """There is no such thing in this SDK, or in the revision that was agreed on."""


def say(**line):
    print(json.dumps(line), flush=True)


async def converse(driver):
    """Carries out the wishes that turncoat writes, one after the other but for those that nobody waits for."""
    say(turncoat="driver", version=1)
    loop = asyncio.get_running_loop()
    wishes = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(wishes), sys.stdin)
    unawaited = []
    while line := await wishes.readline():
        wish = json.loads(line)
        if wish["do"] == "abort":
            if unawaited:
                unawaited.pop().cancel()
            say(turncoat="done", id=wish["id"])
        elif wish.get("wait", True):
            # Not in a task of its own: SDKs want a connection closed where it was opened.
            await fulfil(driver, wish)
        else:
            unawaited.append(asyncio.create_task(unwaited(driver, wish)))
            await asyncio.sleep(0)  # Begun, it can be aborted and say so.
    await driver.close()


async def unwaited(driver, wish):
    number = wish["id"]
    try:
        await fulfil(driver, wish)
    except asyncio.CancelledError:
        say(turncoat="failed", id=number, error="aborted")


async def fulfil(driver, wish):
    number = wish.pop("id")
    do = wish.pop("do").replace("-", "_")
    wish.pop("wait", None)
    if do == "surface":
        return say(turncoat="surface", id=number, **driver.shown)
    method = getattr(driver, do, None)
    if method is None:
        return say(turncoat="unsupported", id=number)
    try:
        say(turncoat="done", id=number, result=plain(await method(**wish)))
    except Unsupported:
        say(turncoat="unsupported", id=number)
    except Exception as error:
        say(turncoat="failed", id=number, error=f"{type(error).__name__}: {error}"[:2000])


async def pages(fetch, member):
    """The items of all pages; `fetch` takes a cursor, or none for the first page."""
    items, cursor, seen = [], None, set()
    while len(seen) < MOST_PAGES:
        page = await fetch(cursor)
        items.extend(getattr(page, member))
        cursor = page.next_cursor if hasattr(page, "next_cursor") else page.nextCursor
        if cursor is None or cursor in seen:
            break
        seen.add(cursor)
    return items


def is_url(word):
    return word.startswith(("http://", "https://"))


def plain(value):
    """What an SDK gave, as JSON."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def form(schema):
    """What a user in a hurry puts into a form: the defaults, and else anything that fits. Nothing where there is none."""
    if schema is None:
        return None
    guesses = {name: guess(field) for name, field in schema.get("properties", {}).items()}
    return {name: value for name, value in guesses.items() if value is not None}


def guess(field):
    if "default" in field:
        return field["default"]
    if picks := choices(field):
        return picks[0]
    match field.get("type"):
        case "string":
            formats = {"date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "email": "ada@example.com", "uri": "https://example.com/"}
            text = formats.get(field.get("format")) or "text".ljust(field.get("minLength", 0), "!")
            return text[: field.get("maxLength")]
        case "number" | "integer":
            least = field.get("minimum", 1)
            return min(max(1, least), field.get("maximum", max(1, least)))
        case "boolean":
            return True
        case "array":
            return choices(field.get("items", {}))[: field.get("minItems", 0)]


def choices(field):
    titled = field.get("oneOf") or field.get("anyOf") or []
    return field.get("enum") or [choice["const"] for choice in titled]
