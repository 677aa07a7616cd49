#!/usr/bin/env python3
"""The tables of inputs and outputs in the modules' READMEs, from the modules themselves.

    readme.py           exit status 1 if one of them is out of date
    readme.py --write   writes them anew, between the marks

Reads Terraform as `terraform fmt` leaves it; needs nothing but Python.
"""

import re
import sys
from pathlib import Path

MODULES = Path(__file__).resolve().parents[2] / "terraform" / "modules"
BEGIN, END = "<!-- inputs and outputs: tests/aws/readme.py --write -->", "<!-- end -->"
BLOCK = re.compile(r'^(variable|output) "([a-z0-9_]+)" \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)


def attribute(body, name):
    """The text of an attribute of a block, on one line; None without it."""
    start = re.search(rf"^  {name} += ", body, re.MULTILINE)
    if not start:
        return None
    text, depth = "", 0
    for line in body[start.end():].splitlines():
        text += line.strip() + " "
        depth += sum(line.count(open_) for open_ in "{[(") - sum(line.count(close) for close in "}])")
        if depth <= 0:
            break
    return text.strip()


def tables(folder):
    """Both tables of one module, as Markdown."""
    rows = {"variable": [], "output": []}
    for path in sorted(folder.glob("*.tf")):
        for kind, name, body in BLOCK.findall(path.read_text()):
            description = attribute(body, "description").strip('"').replace('\\"', '"').replace("|", "\\|")
            if kind == "output":
                rows[kind].append(f"| `{name}` | {description} |")
                continue
            default = attribute(body, "default")
            shown = "needed" if default is None else f"`{default}`"
            rows[kind].append(f"| `{name}` | `{attribute(body, 'type')}` | {shown} | {description} |")
    inputs = "\n".join(["| input | type | default | meaning |", "| --- | --- | --- | --- |", *rows["variable"]])
    outputs = "\n".join(["| output | meaning |", "| --- | --- |", *rows["output"]])
    return f"{inputs}\n\n{outputs}"


def main():
    stale = []
    readmes = sorted(MODULES.glob("*/README.md"))
    for path in readmes:
        text = path.read_text()
        # A mark may name a folder inside the module: `<!-- ...: nat -->`.
        wanted = re.sub(
            rf"({re.escape(BEGIN)}(?: <!-- ([a-z]+) -->)?\n).*?{re.escape(END)}",
            lambda found: f"{found[1]}\n{tables(path.parent / (found[2] or ''))}\n\n{END}",
            text,
            flags=re.DOTALL,
        )
        if BEGIN not in text:
            sys.exit(f"{path} has no place for its tables: {BEGIN}")
        if wanted != text and "--write" in sys.argv:
            path.write_text(wanted)
        elif wanted != text:
            stale.append(str(path.relative_to(MODULES)))
    missing = [folder.name for folder in MODULES.iterdir() if folder.is_dir() and not (folder / "README.md").exists()]
    if stale or missing:
        sys.exit(f"out of date: {', '.join(stale) or 'none'}; without README: {', '.join(missing) or 'none'}. Run tests/aws/readme.py --write")
    print(f"{len(readmes)} READMEs tell the inputs and outputs that there are")


if __name__ == "__main__":
    main()
