# SPDX-License-Identifier: MIT
"""Checks that spawnsnoop reckons with the costs that README.md shows, and that its page has them.

usage: cost_curve.py README SUMMARY-SOURCE PAGE
"""
import re
import sys

TOLERANCE = 0.05


def numbers(text):
    return [float(word) for word in re.findall(r"[0-9]+\.[0-9]+", text)]


def agree(what, reckoned, shown):
    if abs(reckoned / shown - 1) > TOLERANCE:
        sys.exit(f"{what}: spawnsnoop has {reckoned:.1f}, README.md {shown}")


def main():
    readme, source, page = (open(path, encoding="utf-8").read() for path in sys.argv[1:])

    def row(name):
        return numbers(re.search(rf"^\| {re.escape(name)} \|(.*)\|$", readme, re.M)[1])

    curves = {"fork": "fork + exec", "vfork": "vfork + exec", "posix_spawn": "posix_spawn (glibc 2.36)"}
    for name, title in curves.items():
        fixed, per_descriptor, per_mib = re.search(rf"\b{name}_curve = {{ (.*), (.*), (.*) }};", source).groups()
        shown = row(title)
        for column, descriptors, mib in ((0, 3, 0), (2, 10000, 0), (4, 3, 256)):
            reckoned = float(fixed) + float(per_descriptor) * descriptors + float(per_mib) * mib
            agree(f"{name}, {descriptors} descriptors, {mib} MiB", reckoned, shown[column])
        if f"{name}: {fixed} + {per_descriptor} for each" not in page:
            sys.exit(f"spawnsnoop(8) has other figures for {name}")
    spawn, asynchronous = numbers(re.search(r"spawn_cost = .*;", source)[0])
    agree("/dev/spawn", spawn, row("`/dev/spawn`")[0])
    agree("/dev/spawn, asynchronous", asynchronous, row("`/dev/spawn`, asynchronous")[0])
    if f"/dev/spawn: {spawn}; asynchronous: {asynchronous}" not in page:
        sys.exit("spawnsnoop(8) has other figures for /dev/spawn")


main()
