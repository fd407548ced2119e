# SPDX-License-Identifier: MIT
"""Checks what spawnsnoop --json has told of a counted run.

usage: snoop_records.py RECORDS PARENT METHOD COUNT OUTCOME [PROGRAM]

Among the records of process PARENT there are exactly COUNT, all of METHOD and OUTCOME and PROGRAM, no
child twice, and times that can be.
"""
import json
import sys


def wrong(record, method, outcome, program):
    """Why a record is not as expected, or nothing."""
    if record["method"] != method:
        return "method"
    if record["outcome"] != outcome:
        return "outcome"
    if record["program"] != program:
        return "program"
    if not record["child"] or record["blocked_ns"] <= 0:
        return "child or time"
    if outcome == "exec" and not 0 < record["until_exec_ns"] < 60e9:
        return "time to exec"
    if record["parent"]["threads"] != 1 or not 3 <= record["parent"]["descriptors"] <= 9:
        return "parent"
    if not 500 < record["parent"]["resident_kib"] < 20000:
        return "memory"
    return None


def main():
    path, parent, method, count, outcome = sys.argv[1:6]
    program = sys.argv[6] if len(sys.argv) > 6 else None
    with open(path, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    mine = [record for record in records if record["parent"]["pid"] == int(parent)]
    children = {record["child"] for record in mine}
    for record in mine:
        reason = wrong(record, method, outcome, program)
        if reason:
            sys.exit(f"{reason} is not as expected: {record}")
    if len(mine) != int(count) or len(children) != int(count):
        sys.exit(f"{len(mine)} records of {len(children)} children of {parent}, not {count}")


main()
