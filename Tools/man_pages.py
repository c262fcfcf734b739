#!/usr/bin/env python3
"""Writes the man pages of an executable that uses swift-argument-parser: one for it and one for each subcommand.

    man_pages.py EXECUTABLE FOLDER [SECTION]

SECTION is that of the manual: 1 (the default) for commands of users, 8 for those of administrators. A command that has a
default subcommand gets the options of that one and no page for it.

The text is that of its --help (--experimental-dump-help), so the pages always match the options. Standard library only.
"""

import json
import pathlib
import subprocess
import sys

MANUALS = {"1": "User commands", "8": "System administration"}
NOTICE = "Research use only, not for diagnosis."
STATUS = [
    ("0", "All images have a result. Atypical images count as scored."),
    ("1", "An image has no result, the server cannot be used, or the output cannot be written."),
    ("3", "An image is anomalous, with --fail-on-anomalous. Status 1 takes precedence."),
    ("64", "The options are not valid."),
    ("130", "Interrupted (Ctrl-C). The output so far is valid."),
]


def text(words):
    """Returns `words` for roff: nothing in them is a request or an escape."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in escaped.splitlines())


def label(argument):
    """Returns the names and the value of an argument as they are typed."""
    value = f"\\fI{text(argument.get('valueName', 'value'))}\\fR"
    if argument["kind"] == "positional":
        return value
    names = [("-" if name["kind"] == "short" else "--") + name["name"] for name in argument["names"]]
    joined = ", ".join(f"\\fB{text(name)}\\fR" for name in names)
    return f"{joined} {value}" if argument["kind"] == "option" else joined


def described(argument):
    """Returns what an argument does."""
    parts = [argument.get("abstract", "")]
    if argument.get("allValues"):
        parts.append(f"One of {', '.join(argument['allValues'])}.")
    if argument.get("defaultValue") is not None:
        parts.append(f"Default: {argument['defaultValue']}.")
    if argument.get("discussion"):
        parts.append(argument["discussion"])
    return text(" ".join(part for part in parts if part))


def synopsis(name, command):
    """Returns the lines of the section SYNOPSIS."""
    lines = [f".B {text(name)}"]
    shown = [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]
    if any(argument["kind"] != "positional" for argument in shown):
        lines.append("[\\fIoptions\\fR]")
    for argument in shown:
        if argument["kind"] == "option" and not argument["isOptional"]:
            lines.append(label(argument))
        if argument["kind"] == "positional":
            more = " ..." if argument["isRepeating"] else ""
            lines.append(f"[{label(argument)}{more}]" if argument["isOptional"] else label(argument) + more)
    if subcommands(command):
        lines.append("[\\fIcommand\\fR]" if "defaultSubcommand" in command else "\\fIcommand\\fR")
    return lines


def subcommands(command):
    """Returns the subcommands that are shown, without help."""
    return [one for one in command.get("subcommands", []) if one["shouldDisplay"] and one["commandName"] != "help"]


def with_default(command):
    """Returns the command with the arguments of its default subcommand, which is not among the subcommands any more."""
    default = next((one for one in subcommands(command) if one["commandName"] == command.get("defaultSubcommand")), None)
    if default is None:
        return command
    names = {argument["valueName"] for argument in command.get("arguments", [])}
    own = [argument for argument in default.get("arguments", []) if argument["valueName"] not in names]
    merged = {**command, "arguments": own + command.get("arguments", [])}
    merged["subcommands"] = [one for one in command["subcommands"] if one is not default]
    merged["discussion"] = " ".join(filter(None, [command.get("discussion"), default.get("discussion")]))
    return merged


def page(words, command, others, version, section):
    """Returns the page of the command that is called by `words`."""
    name = "-".join(words)
    lines = [f'.TH "{name.upper()}" "{section}" "" "dia {version}" "{MANUALS[section]}"', ".SH NAME"]
    lines.append(f"{text(name)} \\- {text(command.get('abstract', '').rstrip('.'))}")
    lines += [".SH SYNOPSIS"] + synopsis(" ".join(words), command)
    lines += [".SH DESCRIPTION", text(command.get("abstract", ""))]
    if command.get("discussion"):
        lines += [".PP", text(command["discussion"])]
    if subcommands(command):
        lines.append(".SH COMMANDS")
        for one in subcommands(command):
            lines += [".TP", f".BR {text(name)}\\-{text(one['commandName'])} ({section})", text(one.get("abstract", ""))]
    sections = {}
    for argument in command.get("arguments", []):
        if argument["shouldDisplay"]:
            title = "ARGUMENTS" if argument["kind"] == "positional" else argument.get("sectionTitle", "OPTIONS").upper()
            sections.setdefault(title, []).append(argument)
    for title, arguments in sections.items():
        lines.append(f".SH {title}")
        for argument in arguments:
            lines += [".TP", label(argument), described(argument)]
    if words[0] == "dia":
        lines += [".SH ENVIRONMENT", ".TP", ".B DIA_URL", "Address of the server, if \\fB\\-\\-url\\fR is not used."]
        lines += [".TP", ".BR http_proxy ,\\ https_proxy ,\\ no_proxy", "Proxies, as for curl(1)."]
        lines.append(".SH EXIT STATUS")
        for status, meaning in STATUS:
            lines += [".TP", f".B {status}", text(meaning)]
    if others:
        commas = [","] * (len(others) - 1) + [""]
        lines += [".SH SEE ALSO"] + [f".BR {text(other)} ({section}){comma}" for other, comma in zip(others, commas)]
    return "\n".join(lines + [".SH NOTES", NOTICE]) + "\n"


def write(folder, words, command, version, section):
    """Writes the page of a command and those of its subcommands."""
    command = with_default(command)
    children = subcommands(command)
    others = ["-".join(words[:-1])] if len(words) > 1 else ["-".join([*words, one["commandName"]]) for one in children]
    (folder / f"{'-'.join(words)}.{section}").write_text(page(words, command, others, version, section))
    for one in children:
        write(folder, [*words, one["commandName"]], one, version, section)


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["1"], ["8"]):
        sys.exit(__doc__)
    executable, folder, section = sys.argv[1], pathlib.Path(sys.argv[2]), (sys.argv[3:] or ["1"])[0]
    command = json.loads(subprocess.check_output([executable, "--experimental-dump-help"]))["command"]
    version = subprocess.check_output([executable, "--version"], text=True).strip()
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, [command["commandName"]], command, version, section)


if __name__ == "__main__":
    main()
