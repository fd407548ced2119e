# SPDX-License-Identifier: MIT
"""Prints the man page of a public header as scdoc: its comments, its declarations and its example.

usage: header_page.py HEADER EXAMPLE

What a member does is written in the header and nowhere else. Called by meson.build only.
"""
import pathlib
import re
import sys

TITLES = {
    "command": "what to run and what it may have",
    "credentials": "the authority that goes along with a child",
    "error": "why a program was not started",
    "info": "who can start programs here",
    "named_calls": "names for calls that children make before their exec",
    "process": "a child: its start, its end and its signals",
    "system_call": "a system call that a child makes before its exec",
}


def escape(text):
    """Plain text for scdoc. @name stands for an argument."""
    text = re.sub(r"([\\*_#`~])", r"\\\1", text)
    text = re.sub(r"\+\+", r"+\\+", text)
    return re.sub(r"@((?:\w|\\_)+)", r"*\1*", text)


def paragraphs(comment):
    """The lines of a comment without its frame."""
    lines = re.sub(r"^/\*\*|\*/$", "", comment.strip()).split("\n")
    return [re.sub(r"^\s*\* ?", "", line) if number else line.strip() for number, line in enumerate(lines)]


def render(comment, indent):
    """A comment as scdoc: text as text, code and tables as they are, lists as lists."""
    out, literal = [], False
    for line in paragraphs(comment):
        is_literal = line.startswith(("\t", "|"))
        if is_literal != literal:
            out += ["```"] if not is_literal else ["", "```"]
            literal = is_literal
        if literal:
            out.append(line.removeprefix("\t"))
        elif line.lstrip().startswith("- "):
            out.append(escape(line.strip()))
        elif line.strip():
            in_list = out and out[-1].startswith(("- ", "  "))
            if in_list and not line.startswith(" "):
                out.append("")
                in_list = False
            out.append(("  " if in_list else "") + escape(line.strip()))
        else:
            out.append("")
    if literal:
        out.append("```")
    while out and not out[-1]:
        out.pop()
    return [indent + line if line else "" for line in out]


def declaration(text):
    """A declaration without the words that are for the compiler, nor a body."""
    text = re.sub(r"\b(SPAWNCTL_API|SPAWNCTL_LOCAL|\[\[noreturn\]\]) ?", "", text)
    text = re.sub(r"\n\t*\{.*?\n\t*\}(?=\n|$)", ";", text, flags=re.S)
    text = re.sub(r"(?m)\s+: \w+\(.*\);$", ";", text)
    indent = re.match(r"\t*", text).group()
    return re.sub(r"(?m)^" + indent, "", text).rstrip()


def is_type(text):
    """Whether members follow in braces."""
    return re.match(r"\s*(template.*\n\s*)?(class|struct|namespace)\b[^;]*\{", text)


def public(header):
    """The header without what is private, or said to be the library's own."""
    header = re.sub(r"\nprivate:.*?\n\};", "\n};", header, flags=re.S)
    return re.sub(r"\n\t/\* What it was made of.*?\n\};", "\n};", header, flags=re.S)


def entries(header):
    """Each comment with the declarations below it."""
    pattern = r"([ \t]*/\*\*.*?\*/)\n(.*?)(?=\n[ \t]*\n|\n[ \t]*/\*|\n\};|\n[ \t]*(?:public|private):|\n\} //)"
    for comment, below in re.findall(pattern, header, flags=re.S):
        yield comment, below


def body(header):
    """The page's middle."""
    for comment, below in entries(public(header)):
        if is_type(below):
            name = re.search(r"(?:class|struct|namespace)\s+(?:SPAWNCTL_API\s+)?([\w:]+)", below).group(1)
            yield f"# {name.split('::')[-1].upper().replace('_', ' ')}"
            yield ""
            yield from render(comment, "")
            members = below.split("{", 1)[1].strip("\n")
            if "///<" in members:
                yield from ["", "```", declaration(members), "```"]
        else:
            yield from ["```", declaration(below), "```", ""]
            yield from render(comment, "\t")
        yield ""


def main():
    header, example = (pathlib.Path(name) for name in sys.argv[1:3])
    stem = header.stem
    program = example.read_text(encoding="utf-8").split("\n", 1)[1]
    print(f"spawnctl-{stem}(3)\n")
    print("# NAME\n")
    print(f"spawnctl-{escape(stem)} - {TITLES[stem]}\n")
    print("# SYNOPSIS\n")
    print(f"*\\#include <spawnctl/{escape(stem)}.hpp>*\n")
    print("*c+\\+ -std=c+\\+20* _program.cpp_ *$(pkg-config --cflags --libs libspawnctl)*\n")
    print("# DESCRIPTION\n")
    print("Names are in namespace *spawnctl*. The text is that of the header.\n")
    print("\n".join(body(header.read_text(encoding="utf-8"))))
    print("# EXAMPLES\n")
    print(f"```\n{program.rstrip()}\n```\n")
    print("# SEE ALSO\n")
    print("*spawnctl*(1), *spawnctl*(3), *spawn*(4), *libspawnctl*(7)")


main()
