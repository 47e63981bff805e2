"""Reads what the trainer publishes to Redis: keys and values as embedding-value.md specifies them.

One file without dependencies, to be copied into a serving tier (Python 3.10 and up). With the package redis:

    r = redis.Redis()
    model, item = "shop", "item-1"
    generation = int(r.get(active_key(model)) or 0)   # again every second or so; 0: nothing published
    keys = Keys.of(model, r.get(layout_key(model)), is_published=generation > 0)
    value = r.get(keys.item(generation, item))
    vector = None if value is None else read_embedding(value, generation).prefix(32)
"""

import binascii
import json
import math
import struct
from dataclasses import dataclass

_ELEMENTS = {0: ("f", 4), 1: ("e", 2), 2: ("b", 1)}
_U64 = (1 << 64) - 1
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5,
)


class Refused(ValueError):
    """A value that is there and cannot be used. `reason`: foreign, truncated, newer, corrupt or other generation."""

    def __init__(self, reason: str, what: str):
        super().__init__(f"{reason}: {what}")
        self.reason = reason


@dataclass(frozen=True)
class Embedding:
    """An item's vector [D] with its nested widths and where it comes from. `event_time`: Unix milliseconds; 0 when none."""

    vector: tuple[float, ...]
    widths: tuple[int, ...]
    norms: tuple[float, ...]
    generation: int
    token: int
    step: int
    event_time: int

    def prefix(self, width: int) -> tuple[float, ...]:
        """The embedding of a width, 1 to D: the first numbers of the vector."""
        if not 1 <= width <= len(self.vector):
            raise ValueError(f"width is {width}; allowed: 1 to {len(self.vector)}")
        return self.vector[:width]


@dataclass(frozen=True)
class History:
    """A user's recent items as hashes of their ids, oldest first."""

    items: tuple[int, ...]
    newest_time: int
    time_sum: int


@dataclass(frozen=True)
class Related:
    """What the trainer counted with an item: (hash of the other item's id, weight), best first."""

    window: int
    neighbors: tuple[tuple[int, float], ...]
    successors: tuple[tuple[int, float], ...]
    token: int
    step: int


@dataclass(frozen=True)
class Facts:
    """What is known of an item besides its vector. `since`: when it became known, Unix milliseconds; 0: unknown. `popularity`: the time of
    one event that would weigh as much as all of its events, which fade; the greatest is the most popular of late; 0: none or unknown."""

    attributes: dict
    events: int
    since: int
    token: int
    step: int
    popularity: int


class Keys:
    """Names of a model's keys. `partitions` and `layout` are those of its layout record."""

    def __init__(self, model: str, partitions: int = 256, layout: int = 2):
        if layout not in (1, 2):
            raise Refused("newer", f"the model has key layout {layout}; this reader knows 1 and 2")
        self.model, self.partitions = model, partitions
        slots = [p * 16384 // partitions for p in range(partitions)]
        tags = dict.fromkeys(slots) if layout == 2 else {}
        number, missing = 0, len(tags)
        while missing:
            slot = binascii.crc_hqx(str(number).encode(), 0) % 16384
            if slot in tags and tags[slot] is None:
                tags[slot] = str(number)
                missing -= 1
            number += 1
        self._tags = [tags[slot] for slot in slots] if layout == 2 else [str(p) for p in range(partitions)]

    @staticmethod
    def of(model: str, layout_record: bytes | None, is_published: bool = False) -> "Keys":
        """The keys by the model's layout record. Without one a published model has layout 1."""
        if layout_record is None:
            return Keys(model, layout=1 if is_published else 2)
        record = json.loads(layout_record)
        return Keys(model, record["partitions"], record["layout"])

    def tag(self, partition: int) -> str:
        return self._tags[partition]

    def item(self, generation: int, item: str, width: int | None = None) -> str:
        """The key of an item's embedding; `width` where each width has a key of its own."""
        space = generation if width is None else f"{generation}/{width}"
        return f"e:{self.model}:{space}:{{{self._tag_of(xxh64(item.encode()))}}}:{item}"

    def user(self, user: str) -> str:
        key = xxh64(user.encode())
        return f"u:{self.model}:{{{self._tag_of(key)}}}:{key:016x}"

    def related(self, generation: int, item_hash: int) -> str:
        return f"m:{self.model}:related:{generation}:{{{self._tag_of(item_hash)}}}:{item_hash:016x}"

    def facts(self, generation: int, item_hash: int) -> str:
        return f"m:{self.model}:facts:{generation}:{{{self._tag_of(item_hash)}}}:{item_hash:016x}"

    def _tag_of(self, key: int) -> str:
        return self._tags[key % self.partitions]


def active_key(model: str) -> str:
    return f"e:{model}:active"


def layout_key(model: str) -> str:
    return f"m:{model}:layout"


def read_embedding(value: bytes, generation: int | None = None) -> Embedding:
    """Reads an item's value. Raises Refused; also when it is of another generation than the one given."""
    _check_start(value, b"EV", 36)
    element, flags, count = value[3], value[4], value[5]
    (dimension, of, token, scale, checksum) = struct.unpack_from("<HII12xfI", value, 6)
    if element not in _ELEMENTS or flags > 1 or not 1 <= count <= 32:
        raise Refused("corrupt", "an unknown element type, flag or number of widths")
    at = 36 + 2 * count
    start = at + (2 * count if flags & 1 else 0)
    letter, size = _ELEMENTS[element]
    _check_end(value, start + dimension * size, checksum, 32)
    widths = struct.unpack_from(f"<{count}H", value, 36)
    rising = all(a < b for a, b in zip((0,) + widths, widths))
    if not rising or widths[-1] != dimension or not math.isfinite(scale) or scale < 0:
        raise Refused("corrupt", "widths or scale contradict the rest")
    if generation is not None and of != generation:
        raise Refused("other generation", f"the value is of generation {of}, not {generation}")
    elements = struct.unpack_from(f"<{dimension}{letter}", value, start)
    return Embedding(
        vector=tuple(x * scale for x in elements) if element == 2 else tuple(float(x) for x in elements),
        widths=widths,
        norms=struct.unpack_from(f"<{count}e", value, at) if flags & 1 else (),
        generation=of,
        token=token,
        step=int.from_bytes(value[16:22], "little"),
        event_time=int.from_bytes(value[22:28], "little"),
    )


def read_history(value: bytes) -> History:
    """Reads a user's value. Raises Refused."""
    _check_start(value, b"UH", 24)
    count, checksum = struct.unpack_from("<HI", value, 4)
    _check_end(value, 24 + 8 * count, checksum, 6)
    return History(
        items=struct.unpack_from(f"<{count}Q", value, 24),
        newest_time=int.from_bytes(value[10:16], "little"),
        time_sum=int.from_bytes(value[16:24], "little", signed=True),
    )


def read_related(value: bytes) -> Related:
    """Reads the lists of an item. Raises Refused."""
    _check_start(value, b"CL", 24)
    neighbors, successors, checksum, token = struct.unpack_from("<HHII", value, 4)
    _check_end(value, 24 + 12 * (neighbors + successors), checksum, 8)
    pairs = tuple(struct.iter_unpack("<Qf", value[24:]))
    return Related(value[3] + 1, pairs[:neighbors], pairs[neighbors:], token, int.from_bytes(value[16:22], "little"))


def read_facts(value: bytes) -> Facts:
    """Reads the facts of an item. Raises Refused."""
    _check_start(value, b"AT", 36, newest=2)
    start = 42 if value[2] == 2 else 36
    length, checksum, token = struct.unpack_from("<III", value, 4)
    if length > 8192:
        raise Refused("corrupt", f"{length} bytes of attributes; at most 8192 are written")
    _check_end(value, start + length, checksum, 8)
    step, events, since = (int.from_bytes(value[at : at + 6], "little") for at in (16, 24, 30))
    popularity = int.from_bytes(value[36:start], "little")
    return Facts(json.loads(value[start:] or b"{}"), events, since, token, step, popularity)


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def xxh64(data: bytes) -> int:
    """XXH64 with seed 0."""
    length, at = len(data), 0
    if length >= 32:
        lanes = [(_P1 + _P2) & _U64, _P2, 0, -_P1 & _U64]
        while at + 32 <= length:
            for i, word in enumerate(struct.unpack_from("<4Q", data, at)):
                lanes[i] = _round(lanes[i], word)
            at += 32
        h = sum(_rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & _U64
        for lane in lanes:
            h = ((h ^ _round(0, lane)) * _P1 + _P4) & _U64
    else:
        h = _P5
    h = (h + length) & _U64
    while at + 8 <= length:
        (word,) = struct.unpack_from("<Q", data, at)
        h = (_rotate(h ^ _round(0, word), 27) * _P1 + _P4) & _U64
        at += 8
    if at + 4 <= length:
        (word,) = struct.unpack_from("<I", data, at)
        h = (_rotate(h ^ (word * _P1 & _U64), 23) * _P2 + _P3) & _U64
        at += 4
    for byte in data[at:]:
        h = _rotate(h ^ (byte * _P5 & _U64), 11) * _P1 & _U64
    h = (h ^ (h >> 33)) * _P2 & _U64
    h = (h ^ (h >> 29)) * _P3 & _U64
    return h ^ (h >> 32)


def _check_start(value: bytes, magic: bytes, header: int, newest: int = 1) -> None:
    if len(value) >= 3 and value[:2] != magic:
        raise Refused("foreign", f"{len(value)} bytes that do not start with {magic.decode()}")
    if len(value) >= 3 and value[2] > newest:
        raise Refused("newer", f"layout version {value[2]}; this reader knows {newest}")
    if len(value) < header:
        raise Refused("truncated", f"{len(value)} bytes; the header has {header}")
    if value[2] == 0:
        raise Refused("corrupt", "layout version 0")


def _check_end(value: bytes, length: int, checksum: int, at: int) -> None:
    if len(value) < length:
        raise Refused("truncated", f"{len(value)} bytes of {length}")
    if len(value) > length or crc32c(value[:at] + value[at + 4 :]) != checksum:
        raise Refused("corrupt", f"{len(value)} bytes, of which {length} belong to the value, or a wrong checksum")


def _round(lane: int, word: int) -> int:
    return _rotate((lane + word * _P2) & _U64, 31) * _P1 & _U64


def _rotate(x: int, bits: int) -> int:
    return ((x << bits) | (x >> (64 - bits))) & _U64


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _crc_table()
