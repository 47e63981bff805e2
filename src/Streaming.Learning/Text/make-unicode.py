"""Writes unicode.txt, the tables of NFKC_Casefold and of the characters of words, from the Unicode Character Database.

    python3 make-unicode.py /usr/share/unicode > unicode.txt

The folder holds UnicodeData.txt, DerivedNormalizationProps.txt and ReadMe.txt of one version (Debian: package unicode-data). Another
version is another scheme of hashing: raise FeatureGroup.CurrentScheme with it.
"""

import re
import sys

folder = sys.argv[1]
decompositions, classes, categories = {}, {}, {}
first = None
for line in open(f"{folder}/UnicodeData.txt", encoding="utf-8"):
    fields = line.rstrip("\n").split(";")
    point = int(fields[0], 16)
    if fields[1].endswith(", First>"):
        first = point
        continue
    for each in range(first if first is not None else point, point + 1):
        categories[each] = fields[2]
    first = None
    if fields[3] != "0":
        classes[point] = int(fields[3])
    if fields[5] and not fields[5].startswith("<"):
        decompositions[point] = [int(part, 16) for part in fields[5].split()]

excluded, folds = set(), {}
for line in open(f"{folder}/DerivedNormalizationProps.txt", encoding="utf-8"):
    fields = [part.strip() for part in line.split("#")[0].split(";")]
    if len(fields) < 2:
        continue
    ends = [int(part, 16) for part in fields[0].split("..")]
    for point in range(ends[0], ends[-1] + 1):
        if fields[1] == "Full_Composition_Exclusion":
            excluded.add(point)
        if fields[1] == "NFKC_CF":
            folds[point] = [int(part, 16) for part in fields[2].split()]


def decompose(point):
    """Canonical decomposition."""
    syllable = point - 0xAC00
    if 0 <= syllable < 11172:
        parts = [0x1100 + syllable // 588, 0x1161 + syllable // 28 % 21, 0x11A7 + syllable % 28]
        return parts if syllable % 28 else parts[:2]
    parts = decompositions.get(point)
    return [point] if parts is None else [each for part in parts for each in decompose(part)]


def ranges(values):
    """(first, last, value) of neighbours with one value."""
    start = last = None
    for point, value in sorted(values.items()):
        if start is None or point != last + 1 or value != values[start]:
            if start is not None:
                yield start, last, values[start]
            start = point
        last = point
    yield start, last, values[start]


version = re.search(r"Version (\d+\.\d+\.\d+)", open(f"{folder}/ReadMe.txt", encoding="utf-8").read())[1]
print(f"# Unicode {version}, by make-unicode.py; © Unicode, Inc., https://www.unicode.org/terms_of_use.html")
for start, last, _ in ranges({point: True for point, category in categories.items() if category[0] in "LMN"}):
    print(f"word {start:x} {last:x}")
for start, last, value in ranges(classes):
    print(f"class {start:x} {last:x} {value:x}")
# Unassigned default ignorable code points are removed in ranges of thousands.
removed = {point: True for point, fold in folds.items() if not fold}
for start, last, _ in ranges(removed):
    print(f"drop {start:x} {last:x}")
for point in sorted(set(folds) | set(decompositions)):
    if point not in removed:
        mapped = [each for part in folds.get(point, [point]) for each in decompose(part)]
        print("map", f"{point:x}", *(f"{each:x}" for each in mapped))
for point, parts in sorted(decompositions.items()):
    if len(parts) == 2 and point not in excluded:
        print("pair", f"{parts[0]:x}", f"{parts[1]:x}", f"{point:x}")
