/**
 * Reads what the trainer publishes to Redis: keys and values as embedding-value.md specifies them.
 *
 * One file without dependencies, to be copied into a serving tier (Node 18 and up, Deno, Bun, browsers). With ioredis:
 *
 *     const generation = Number(await redis.get(activeKey("shop")) ?? 0);   // again every second or so; 0: nothing published
 *     const keys = Keys.of("shop", await redis.getBuffer(layoutKey("shop")), generation > 0);
 *     const value = await redis.getBuffer(keys.item(generation, "item-1"));
 *     const vector = value && readEmbedding(value, generation).vector.subarray(0, 32);
 */

export type Reason = "foreign" | "truncated" | "newer" | "corrupt" | "other generation";

/** A value that is there and cannot be used. */
export class Refused extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, what: string) {
    super(`${reason}: ${what}`);
    this.name = "Refused";
    this.reason = reason;
  }
}

/** An item's vector [D]: the first w numbers are the embedding of width w. `eventTime`: Unix milliseconds, 0 when none. */
export interface Embedding {
  readonly vector: Float32Array;
  readonly widths: readonly number[];
  readonly norms: readonly number[];
  readonly generation: number;
  readonly token: number;
  readonly step: number;
  readonly eventTime: number;
}

/** A user's recent items as hashes of their ids, oldest first. */
export interface History {
  readonly items: readonly bigint[];
  readonly newestTime: number;
  readonly timeSum: bigint;
}

/** An item that was counted with another: the hash of its id, and its weight. */
export interface Counted {
  readonly item: bigint;
  readonly weight: number;
}

/** What the trainer counted with an item, best first. */
export interface Related {
  readonly window: number;
  readonly neighbors: readonly Counted[];
  readonly successors: readonly Counted[];
  readonly token: number;
  readonly step: number;
}

/** What is known of an item besides its vector. `since`: when it became known, Unix milliseconds; 0: unknown. */
export interface Facts {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: number;
  readonly since: number;
  readonly token: number;
  readonly step: number;
  /** The time of one event that would weigh as much as all of its events, which fade; 0: none or unknown. */
  readonly popularity: number;
}

/** Names of a model's keys. Partitions and layout are those of its layout record. */
export class Keys {
  readonly model: string;
  readonly partitions: number;
  readonly #tags: string[];

  constructor(model: string, partitions = 256, layout = 2) {
    if (layout !== 1 && layout !== 2) {
      throw new Refused("newer", `the model has key layout ${layout}; this reader knows 1 and 2`);
    }
    this.model = model;
    this.partitions = partitions;
    const all = Array.from({ length: partitions }, (_, p) => p);
    this.#tags = layout === 1 ? all.map(String) : tagsOf(all.map((p) => Math.floor((p * 16384) / partitions)));
  }

  /** The keys by the model's layout record. Without one a published model has layout 1. */
  static of(model: string, layoutRecord: Uint8Array | null, isPublished = false): Keys {
    if (layoutRecord === null) {
      return new Keys(model, 256, isPublished ? 1 : 2);
    }
    const record = JSON.parse(new TextDecoder().decode(layoutRecord)) as { layout: number; partitions: number };
    return new Keys(model, record.partitions, record.layout);
  }

  tag(partition: number): string {
    return this.#tags[partition];
  }

  /** The key of an item's embedding; `width` where each width has a key of its own. */
  item(generation: number, item: string, width?: number): string {
    const space = width === undefined ? generation : `${generation}/${width}`;
    return `e:${this.model}:${space}:{${this.#tagOf(xxh64(utf8(item)))}}:${item}`;
  }

  user(user: string): string {
    const key = xxh64(utf8(user));
    return `u:${this.model}:{${this.#tagOf(key)}}:${hex(key)}`;
  }

  related(generation: number, itemHash: bigint): string {
    return `m:${this.model}:related:${generation}:{${this.#tagOf(itemHash)}}:${hex(itemHash)}`;
  }

  facts(generation: number, itemHash: bigint): string {
    return `m:${this.model}:facts:${generation}:{${this.#tagOf(itemHash)}}:${hex(itemHash)}`;
  }

  #tagOf(key: bigint): string {
    return this.#tags[Number(key % BigInt(this.partitions))];
  }
}

export const activeKey = (model: string): string => `e:${model}:active`;
export const layoutKey = (model: string): string => `m:${model}:layout`;

/** Reads an item's value. Throws Refused; also when it is of another generation than the one given. */
export function readEmbedding(value: Uint8Array, generation?: number): Embedding {
  checkStart(value, "EV", 36);
  const view = viewOf(value);
  const [element, flags, count] = [value[3], value[4], value[5]];
  const dimension = view.getUint16(6, true);
  if (element > 2 || flags > 1 || count < 1 || count > 32) {
    throw new Refused("corrupt", "an unknown element type, flag or number of widths");
  }
  const size = [4, 2, 1][element];
  const normsAt = 36 + 2 * count;
  const start = normsAt + (flags === 1 ? 2 * count : 0);
  checkEnd(value, start + dimension * size, view.getUint32(32, true), 32);
  const widths = Array.from({ length: count }, (_, k) => view.getUint16(36 + 2 * k, true));
  const scale = view.getFloat32(28, true);
  const rising = widths.every((width, k) => width > (k === 0 ? 0 : widths[k - 1]));
  if (!rising || widths[count - 1] !== dimension || !Number.isFinite(scale) || scale < 0) {
    throw new Refused("corrupt", "widths or scale contradict the rest");
  }
  const of = view.getUint32(8, true);
  if (generation !== undefined && of !== generation) {
    throw new Refused("other generation", `the value is of generation ${of}, not ${generation}`);
  }
  const vector = new Float32Array(dimension);
  for (let i = 0; i < dimension; i++) {
    const at = start + i * size;
    vector[i] = element === 0 ? view.getFloat32(at, true) : element === 1 ? half(view, at) : view.getInt8(at) * scale;
  }
  return {
    vector,
    widths,
    norms: flags === 1 ? widths.map((_, k) => half(view, normsAt + 2 * k)) : [],
    generation: of,
    token: view.getUint32(12, true),
    step: uint48(view, 16),
    eventTime: uint48(view, 22),
  };
}

/** Reads a user's value. Throws Refused. */
export function readHistory(value: Uint8Array): History {
  checkStart(value, "UH", 24);
  const view = viewOf(value);
  const count = view.getUint16(4, true);
  checkEnd(value, 24 + 8 * count, view.getUint32(6, true), 6);
  return {
    items: Array.from({ length: count }, (_, i) => view.getBigUint64(24 + 8 * i, true)),
    newestTime: uint48(view, 10),
    timeSum: view.getBigInt64(16, true),
  };
}

/** Reads the lists of an item. Throws Refused. */
export function readRelated(value: Uint8Array): Related {
  checkStart(value, "CL", 24);
  const view = viewOf(value);
  const [neighbors, successors] = [view.getUint16(4, true), view.getUint16(6, true)];
  checkEnd(value, 24 + 12 * (neighbors + successors), view.getUint32(8, true), 8);
  const counted = Array.from({ length: neighbors + successors }, (_, i) => ({
    item: view.getBigUint64(24 + 12 * i, true),
    weight: view.getFloat32(32 + 12 * i, true),
  }));
  return {
    window: value[3] + 1,
    neighbors: counted.slice(0, neighbors),
    successors: counted.slice(neighbors),
    token: view.getUint32(12, true),
    step: uint48(view, 16),
  };
}

/** Reads the facts of an item. Throws Refused. */
export function readFacts(value: Uint8Array): Facts {
  checkStart(value, "AT", 36, 2);
  const start = value[2] === 2 ? 42 : 36;
  const view = viewOf(value);
  const length = view.getUint32(4, true);
  if (length > 8192) {
    throw new Refused("corrupt", `${length} bytes of attributes; at most 8192 are written`);
  }
  checkEnd(value, start + length, view.getUint32(8, true), 8);
  return {
    attributes: length === 0 ? {} : JSON.parse(new TextDecoder().decode(value.subarray(start))),
    events: uint48(view, 24),
    since: uint48(view, 30),
    token: view.getUint32(12, true),
    step: uint48(view, 16),
    popularity: start === 42 ? uint48(view, 36) : 0,
  };
}

/** CRC-32C of the parts, one after the other. */
export function crc32c(...parts: Uint8Array[]): number {
  let crc = 0xffffffff;
  for (const part of parts) {
    for (const byte of part) {
      crc = CRC[(crc ^ byte) & 0xff] ^ (crc >>> 8);
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** XXH64 with seed 0. */
export function xxh64(data: Uint8Array): bigint {
  const view = viewOf(data);
  const length = data.length;
  let at = 0;
  let h = P5;
  if (length >= 32) {
    const lanes = [u64(P1 + P2), P2, 0n, u64(-P1)];
    for (; at + 32 <= length; at += 32) {
      for (let i = 0; i < 4; i++) {
        lanes[i] = round(lanes[i], view.getBigUint64(at + 8 * i, true));
      }
    }
    h = u64(rotate(lanes[0], 1n) + rotate(lanes[1], 7n) + rotate(lanes[2], 12n) + rotate(lanes[3], 18n));
    for (const lane of lanes) {
      h = u64((h ^ round(0n, lane)) * P1 + P4);
    }
  }
  h = u64(h + BigInt(length));
  for (; at + 8 <= length; at += 8) {
    h = u64(rotate(h ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
  }
  if (at + 4 <= length) {
    h = u64(rotate(h ^ u64(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
    at += 4;
  }
  for (; at < length; at++) {
    h = u64(rotate(h ^ u64(BigInt(data[at]) * P5), 11n) * P1);
  }
  h = u64((h ^ (h >> 33n)) * P2);
  h = u64((h ^ (h >> 29n)) * P3);
  return h ^ (h >> 32n);
}

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let i = 0; i < 8; i++) {
    crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return crc >>> 0;
});

function checkStart(value: Uint8Array, magic: string, header: number, newest = 1): void {
  if (value.length >= 3 && String.fromCharCode(value[0], value[1]) !== magic) {
    throw new Refused("foreign", `${value.length} bytes that do not start with ${magic}`);
  }
  if (value.length >= 3 && value[2] > newest) {
    throw new Refused("newer", `layout version ${value[2]}; this reader knows ${newest}`);
  }
  if (value.length < header) {
    throw new Refused("truncated", `${value.length} bytes; the header has ${header}`);
  }
  if (value[2] === 0) {
    throw new Refused("corrupt", "layout version 0");
  }
}

function checkEnd(value: Uint8Array, length: number, checksum: number, at: number): void {
  if (value.length < length) {
    throw new Refused("truncated", `${value.length} bytes of ${length}`);
  }
  if (value.length > length || crc32c(value.subarray(0, at), value.subarray(at + 4)) !== checksum) {
    throw new Refused("corrupt", `${value.length} bytes, of which ${length} belong to the value, or a wrong checksum`);
  }
}

/** The smallest number, in decimal, of each slot. */
function tagsOf(slots: number[]): string[] {
  const found = new Map<number, string>();
  const wanted = new Set(slots);
  for (let number = 0; found.size < wanted.size; number++) {
    const text = String(number);
    const slot = crc16(text) % 16384;
    if (wanted.has(slot) && !found.has(slot)) {
      found.set(slot, text);
    }
  }
  return slots.map((slot) => found.get(slot)!);
}

/** CRC-16/XMODEM of ASCII text: what Redis Cluster makes slots of. */
function crc16(text: string): number {
  let crc = 0;
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i) << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
    }
  }
  return crc;
}

function half(view: DataView, at: number): number {
  const bits = view.getUint16(at, true);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) {
    return fraction ? NaN : sign * Infinity;
  }
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function uint48(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function hex(key: bigint): string {
  return key.toString(16).padStart(16, "0");
}

function round(lane: bigint, word: bigint): bigint {
  return u64(rotate(u64(lane + word * P2), 31n) * P1);
}

function rotate(x: bigint, bits: bigint): bigint {
  return u64((x << bits) | (x >> (64n - bits)));
}

function u64(x: bigint): bigint {
  return BigInt.asUintN(64, x);
}
