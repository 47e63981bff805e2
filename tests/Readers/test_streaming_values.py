"""Holds schemas/streaming_values.py to the test vectors of schemas/embedding-value.md. python3 -m unittest, in this folder."""

import dataclasses
import pathlib
import random
import re
import sys
import unittest

SCHEMAS = pathlib.Path(__file__).parents[2] / "schemas"
sys.path.insert(0, str(SCHEMAS))
import streaming_values as values  # noqa: E402

PAGE = (SCHEMAS / "embedding-value.md").read_text(encoding="utf-8")
ROWS = {name.strip("`"): cell for name, cell in re.findall(r"^\| ([^|]+?) \| `([^`|]*)` \|$", PAGE, re.MULTILINE)}
NUMBERS = (1, -0.5, 0.25, 3, -4, 0, 0.125, -2)


def of(name):
    return bytes.fromhex(ROWS[name])


class StreamingValuesTests(unittest.TestCase):
    def test_embeddings_of_the_page_have_its_numbers(self):
        for name in ("float32", "float16", "float16 with norms", "int8", "int8 with norms"):
            with self.subTest(name):
                read = values.read_embedding(of(name), generation=7)
                self.assertEqual((read.widths, read.token, read.step), ((2, 4, 8), 42, 123456789012))
                self.assertEqual(read.event_time, 1700000000000)
                self.assertEqual(len(read.norms), 3 if "norms" in name else 0)
                for expected, number in zip(NUMBERS, read.vector):
                    self.assertAlmostEqual(expected, number, delta=0.5 * 4 / 127 + 1e-6 if "int8" in name else 0)
                self.assertEqual(read.prefix(2), read.vector[:2])

    def test_counters_at_their_ends_are_read(self):
        read = values.read_embedding(of("float16, counters at their ends"))
        self.assertEqual((read.generation, read.token), (2**32 - 1, 2**32 - 1))
        self.assertEqual((read.step, read.event_time), (2**48 - 1, 2**48 - 1))

    def test_refused_bytes_of_the_page_have_its_reason(self):
        for reason in ("foreign", "truncated", "newer", "corrupt"):
            with self.subTest(reason), self.assertRaises(values.Refused) as refused:
                values.read_embedding(of(reason))
            self.assertEqual(refused.exception.reason, reason)

    def test_value_of_another_generation_is_refused(self):
        with self.assertRaises(values.Refused) as refused:
            values.read_embedding(of("float16"), generation=8)
        self.assertEqual(refused.exception.reason, "other generation")

    def test_no_damaged_byte_goes_unnoticed(self):
        for name, read in (
            ("float16 with norms", values.read_embedding),
            ("history", values.read_history),
            ("lists", values.read_related),
            ("facts", values.read_facts),
        ):
            good = of(name)
            for at in range(len(good)):
                bad = bytearray(good)
                bad[at] ^= 0x10
                with self.subTest(f"{name} {at}"), self.assertRaises(values.Refused):
                    read(bytes(bad))
            for length in range(len(good)):
                with self.subTest(f"{name} cut to {length}"), self.assertRaises(values.Refused):
                    read(good[:length])

    def test_random_bytes_are_refused(self):
        chance = random.Random(1)
        for _ in range(2000):
            noise = bytearray(chance.randbytes(chance.randrange(90)))
            noise[:3] = b"EV\x01"
            with self.assertRaises(values.Refused):
                values.read_embedding(bytes(noise))

    def test_history_and_lists_of_the_page_are_read(self):
        history = values.read_history(of("history"))
        self.assertEqual(history.items, (1, 2**64 - 1, 0x0123456789ABCDEF))
        self.assertEqual((history.newest_time, history.time_sum), (1700000000000, 5099999999000))
        related = values.read_related(of("lists"))
        self.assertEqual(related.neighbors, ((1, 0.75), (2**64 - 1, 0.5)))
        self.assertEqual(related.successors, ((0x0123456789ABCDEF, 0.25),))
        self.assertEqual((related.window, related.token, related.step), (10, 42, 123456789012))

    def test_facts_of_the_page_are_read(self):
        facts = values.read_facts(of("facts"))
        self.assertEqual(facts.attributes, {"category": "shoes", "tags": ["a", "ü"], "price": 12.5, "available": True})
        self.assertEqual((facts.events, facts.since, facts.token, facts.step), (3, 1700000000000, 42, 123456789012))
        self.assertEqual(facts.popularity, 1700086400000)
        self.assertEqual(values.read_facts(of("facts, version 1")), dataclasses.replace(facts, popularity=0))
        bare = values.read_facts(of("facts without attributes"))
        self.assertEqual((bare.attributes, bare.events, bare.since), ({}, 0, 0))
        self.assertEqual(values.Keys("shop").facts(3, values.xxh64(b"item-1")), ROWS["facts of item-1"])

    def test_keys_are_those_of_the_page(self):
        for item, name in (("item-1", "item-1"), ("tëa", "tëa"), ("", "(empty)")):
            self.assertEqual(values.Keys("shop").item(3, item), ROWS[name])
            self.assertEqual(values.Keys("shop", layout=1).item(3, item), ROWS[f"{name} in layout 1"])
        rows = [(re.match(r"^P (\d+), p (\d+), slot", name), tag) for name, tag in ROWS.items()]
        tags = [(int(match[1]), int(match[2]), tag) for match, tag in rows if match]
        self.assertEqual(len(tags), 11)
        for partitions, partition, tag in tags:
            self.assertEqual(values.Keys("shop", partitions).tag(partition), tag)

    def test_layout_record_decides_and_a_newer_one_is_refused(self):
        keys = values.Keys.of("shop", b'{"layout":2,"partitions":8,"more":1}')
        self.assertEqual(keys.tag(1), "48576")
        self.assertEqual(values.Keys.of("shop", None, is_published=True).item(3, "item-1"), ROWS["item-1 in layout 1"])
        with self.assertRaises(values.Refused):
            values.Keys.of("shop", b'{"layout":3,"partitions":8}')

    def test_checksum_and_hash_are_the_published_ones(self):
        self.assertEqual(values.crc32c(b"123456789"), 0xE3069283)
        self.assertEqual(values.xxh64(b""), 0xEF46DB3751D8E999)
        self.assertEqual(values.xxh64(b"Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1)


if __name__ == "__main__":
    unittest.main()
