"""Writes the corpora as the files that a user would have.

kql/       one file for each query that Microsoft's parser accepts: `<id>.kql`, or `<id>.yaml` for a Sentinel rule
rejected/  those that it does not accept
sigma/     the Sigma rules, in their folders
yaral/     the YARA-L rules, in their folders
"""

import json
import shutil

import yaml
from common import CORPUS


class Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, as people do."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def _text(dumper, value):
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Dumper.add_representer(str, _text)


def kql(folder):
    """Writes kql/ and rejected/ and returns {id: corpus entry} of both."""
    accepted, rejected = {}, {}
    for name in ("kql", "rejected"):
        (folder / name).mkdir(parents=True)
    for line in (CORPUS / "corpus/kql/dev.jsonl").open(encoding="utf-8"):
        entry = json.loads(line)
        good = entry["syntax_ok"]
        (accepted if good else rejected)[entry["id"]] = entry
        path = folder / ("kql" if good else "rejected") / entry["id"]
        if entry["kind"] == "sentinel_yaml":
            rule = {**entry["yaml"], "query": entry["query"]}
            text = yaml.dump(rule, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)
            path.with_name(entry["id"] + ".yaml").write_text(text, encoding="utf-8")
        else:
            path.with_name(entry["id"] + ".kql").write_text(entry["query"], encoding="utf-8")
    return accepted, rejected


def sigma(folder):
    """Copies the Sigma corpus and returns its paths, relative to it."""
    source = CORPUS / "corpus/sigma"
    paths = sorted(p.relative_to(source) for p in source.rglob("*.yml"))
    for path in paths:
        target = folder / "sigma" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target)
    return [p.as_posix() for p in paths]


def yaral(folder):
    """Copies the YARA-L corpus and returns its paths, relative to it."""
    source = CORPUS / "corpus/yara-l"
    paths = sorted(p.relative_to(source) for p in source.rglob("*.yaral"))
    for path in paths:
        target = folder / "yaral" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target)
    return [p.as_posix() for p in paths]


def query_of(path):
    """The query of a file that `kql` wrote, or that was formatted since; line ends as they are."""
    text = path.read_bytes().decode("utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)["query"] if path.suffix == ".yaml" else text
