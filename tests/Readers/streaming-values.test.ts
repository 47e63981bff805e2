// Holds schemas/streaming-values.ts to the test vectors of schemas/embedding-value.md. node --test, in this folder (Node 22.6 and up).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Keys, Refused, crc32c, readEmbedding, readFacts, readHistory, readRelated, xxh64 } from "../../schemas/streaming-values.ts";

const page = readFileSync(new URL("../../schemas/embedding-value.md", import.meta.url), "utf8");
const rows = new Map<string, string>();
for (const [, name, cell] of page.matchAll(/^\| ([^|]+?) \| `([^`|]*)` \|$/gm)) {
  rows.set(name.replace(/^`|`$/g, ""), cell);
}

const numbers = [1, -0.5, 0.25, 3, -4, 0, 0.125, -2];
const of = (name: string): Uint8Array => Uint8Array.from(Buffer.from(rows.get(name)!, "hex"));
const refusal = (reason?: string) => (error: unknown) => error instanceof Refused && (reason === undefined || error.reason === reason);

test("embeddings of the page have its numbers", () => {
  for (const name of ["float32", "float16", "float16 with norms", "int8", "int8 with norms"]) {
    const read = readEmbedding(of(name), 7);
    assert.deepEqual([read.widths, read.token, read.step, read.eventTime], [[2, 4, 8], 42, 123456789012, 1700000000000], name);
    assert.equal(read.norms.length, name.includes("norms") ? 3 : 0);
    numbers.forEach((number, i) => {
      assert.ok(Math.abs(read.vector[i] - number) <= (name.includes("int8") ? (0.5 * 4) / 127 + 1e-6 : 0), `${name} ${i}`);
    });
  }
});

test("counters at their ends are read", () => {
  const read = readEmbedding(of("float16, counters at their ends"));
  assert.deepEqual([read.generation, read.token, read.step, read.eventTime], [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 48 - 1, 2 ** 48 - 1]);
});

test("refused bytes of the page have its reason", () => {
  for (const reason of ["foreign", "truncated", "newer", "corrupt"]) {
    assert.throws(() => readEmbedding(of(reason)), refusal(reason));
  }
  assert.throws(() => readEmbedding(of("float16"), 8), refusal("other generation"));
});

test("no damaged byte goes unnoticed", () => {
  for (const [name, read] of [["float16 with norms", readEmbedding], ["history", readHistory], ["lists", readRelated], ["facts", readFacts]] as const) {
    const good = of(name);
    for (let at = 0; at < good.length; at++) {
      const bad = good.slice();
      bad[at] ^= 0x10;
      assert.throws(() => read(bad), refusal(), `${name}: byte ${at}`);
      assert.throws(() => read(good.subarray(0, at)), refusal(), `${name}: cut to ${at}`);
    }
  }
});

test("history and lists of the page are read", () => {
  const history = readHistory(of("history"));
  assert.deepEqual(history, { items: [1n, 2n ** 64n - 1n, 0x0123456789abcdefn], newestTime: 1700000000000, timeSum: 5099999999000n });
  assert.deepEqual(readRelated(of("lists")), {
    window: 10,
    neighbors: [{ item: 1n, weight: 0.75 }, { item: 2n ** 64n - 1n, weight: 0.5 }],
    successors: [{ item: 0x0123456789abcdefn, weight: 0.25 }],
    token: 42,
    step: 123456789012,
  });
});

test("facts of the page are read", () => {
  assert.deepEqual(readFacts(of("facts")), {
    attributes: { category: "shoes", tags: ["a", "ü"], price: 12.5, available: true },
    events: 3,
    since: 1700000000000,
    token: 42,
    step: 123456789012,
    popularity: 1700086400000,
  });
  assert.deepEqual(readFacts(of("facts, version 1")), { ...readFacts(of("facts")), popularity: 0 });
  assert.deepEqual(readFacts(of("facts without attributes")), { attributes: {}, events: 0, since: 0, token: 42, step: 123456789012, popularity: 0 });
  assert.equal(new Keys("shop").facts(3, xxh64(new TextEncoder().encode("item-1"))), rows.get("facts of item-1"));
});

test("keys are those of the page", () => {
  for (const [item, name] of [["item-1", "item-1"], ["tëa", "tëa"], ["", "(empty)"]]) {
    assert.equal(new Keys("shop").item(3, item), rows.get(name));
    assert.equal(new Keys("shop", 256, 1).item(3, item), rows.get(`${name} in layout 1`));
  }
  let checked = 0;
  for (const [name, tag] of rows) {
    const match = /^P (\d+), p (\d+), slot/.exec(name);
    if (match) {
      assert.equal(new Keys("shop", Number(match[1])).tag(Number(match[2])), tag, name);
      checked++;
    }
  }
  assert.equal(checked, 11);
});

test("layout record decides, and a newer one is refused", () => {
  const record = (text: string) => new TextEncoder().encode(text);
  assert.equal(Keys.of("shop", record('{"layout":2,"partitions":8,"more":1}')).tag(1), "48576");
  assert.equal(Keys.of("shop", null, true).item(3, "item-1"), rows.get("item-1 in layout 1"));
  assert.throws(() => Keys.of("shop", record('{"layout":3,"partitions":8}')), refusal("newer"));
});

test("checksum and hash are the published ones", () => {
  const ascii = (text: string) => new TextEncoder().encode(text);
  assert.equal(crc32c(ascii("1234"), ascii("56789")), 0xe3069283);
  assert.equal(xxh64(ascii("")), 0xef46db3751d8e999n);
  assert.equal(xxh64(ascii("Nobody inspects the spammish repetition")), 0xfbcea83c8a378bf1n);
});
