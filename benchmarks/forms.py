"""
What the check of a form costs, beside the bare libraries in the same minute.

What the numbers mean stands in ``docs/performance.md``.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import xmlschema
from lxml import etree

from bridge.cli.validate.work import Job, check_all
from bridge.core.mapping import FormKind, FormSpec
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits
from bridge.forms.xml.schemas import read_schema_files

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
<xs:element name="melding"><xs:complexType><xs:sequence>
 <xs:element name="avsender" type="Navn"/>
 <xs:element name="person" maxOccurs="unbounded"><xs:complexType><xs:sequence>
  <xs:element name="navn" type="Navn"/>
  <xs:element name="organisasjonsnummer"><xs:simpleType><xs:restriction base="xs:string">
   <xs:pattern value="[0-9]{9}"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="ansatt" type="xs:date"/>
  <xs:element name="stilling"><xs:simpleType><xs:restriction base="xs:string">
   <xs:enumeration value="fast"/><xs:enumeration value="midlertidig"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="post" maxOccurs="unbounded"><xs:complexType><xs:sequence>
   <xs:element name="beloep"><xs:simpleType><xs:restriction base="xs:decimal">
    <xs:fractionDigits value="2"/></xs:restriction></xs:simpleType></xs:element>
   <xs:element name="fra" type="xs:date"/>
  </xs:sequence></xs:complexType></xs:element>
 </xs:sequence></xs:complexType></xs:element>
</xs:sequence><xs:attribute name="dataFormatId" type="xs:string" fixed="9901" use="required"/>
</xs:complexType></xs:element>
<xs:simpleType name="Navn"><xs:restriction base="xs:string"><xs:minLength value="1"/><xs:maxLength value="175"/>
</xs:restriction></xs:simpleType></xs:schema>"""
NAME = "form.xsd"
PERSON = """ <person>
  <navn>Oppdiktet Person {n}</navn>
  <organisasjonsnummer>310{n:06}</organisasjonsnummer>
  <ansatt>2020-01-01</ansatt>
  <stilling>fast</stilling>
  <post>
   <beloep>{n}.50</beloep>
   <fra>2020-02-01</fra>
  </post>
  <post>
   <beloep>12.00</beloep>
   <fra>2020-03-01</fra>
  </post>
 </person>
"""
SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="9901", data_format_version="1", schema=NAME)


def form(size: int) -> bytes:
    """Make a valid form of about *size* bytes."""
    people, length, number = [], 100, 0
    while length < size:
        number += 1
        people.append(PERSON.format(n=number))
        length += len(people[-1])
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<melding dataFormatId="9901">\n <avsender>Oppdiktet</avsender>\n'
    return (text + "".join(people) + "</melding>\n").encode()


def with_faults(xml: bytes, count: int) -> bytes:
    """Put *count* faults of four kinds into a form."""
    faults = ((b"2020-01-01", b"i dag"), (b">fast<", b">aldri<"), (b">12.00<", b">12.005<"), (b"r>310", b"r>X10"))
    parts = xml.split(b" <person>\n")
    step = max(1, (len(parts) - 1) // count)
    for number in range(count):
        old, new = faults[number % len(faults)]
        place = 1 + number * step
        parts[place] = parts[place].replace(old, new, 1)
    return b" <person>\n".join(parts)


def against(ours: Callable[[], object], baseline: Callable[[], object], *, rounds: int, calls: int) -> dict[str, float]:
    """
    Time both in turns, in processor time, which others on the machine do not lengthen; the best round of each counts.

    Gives microseconds for a call, and how often ours fits into the baseline.
    """
    best = {"ours": float("inf"), "baseline": float("inf")}
    for _ in range(rounds):
        for name, call in (("ours", ours), ("baseline", baseline)):
            begin = time.process_time()
            for _ in range(calls):
                call()
            best[name] = min(best[name], (time.process_time() - begin) / calls * 1e6)
    return {"ours_us": best["ours"], "baseline_us": best["baseline"], "ratio": best["baseline"] / best["ours"]}


def measure(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Measure everything; *quick* only shows that it runs."""
    (folder / NAME).write_text(SCHEMA)
    registry = SchemaRegistry(folder)
    registry.load([NAME])
    bare = read_schema_files(folder, NAME).compile()
    second: Any = xmlschema.XMLSchema10(SCHEMA)
    small, middle, large = form(2_000), form(50_000), form(200_000 if quick else 5_000_000)
    faulty = with_faults(middle, 20)
    rounds = 3 if quick else 40
    results: dict[str, Any] = {}
    for name, xml, calls in (("2 KB", small, 300), ("50 KB", middle, 20), ("5 MB", large, 1)):
        results[f"valid {name}, of bare lxml"] = against(
            lambda xml=xml: registry.check_form(SPEC, xml),
            lambda xml=xml: bare.validate(etree.fromstring(xml)),
            rounds=rounds,
            calls=10 if quick else calls,
        )
    results["valid 50 KB, of xmlschema"] = against(
        lambda: registry.check_form(SPEC, middle),
        lambda: second.is_valid(middle.decode()),
        rounds=3 if quick else 7,
        calls=2,
    )
    registry.check_form(SPEC, faulty)  # xmlschema's model is made at start, not at the first refusal.
    if len(registry.check_form(SPEC, faulty)) != 20:
        raise RuntimeError("twenty faults are told as another number")
    results["invalid 50 KB with 20 faults, of xmlschema.iter_errors"] = against(
        lambda: registry.check_form(SPEC, faulty),
        lambda: list(second.iter_errors(faulty.decode())),
        rounds=3 if quick else 7,
        calls=2,
    )
    results["folder"] = measure_folder(folder, middle, count=400 if quick else 10_000)
    results["streaming"] = measure_stream(folder, megabytes=5 if quick else 100)
    return results


_bare: etree.XMLSchema | None = None


def _begin(folder: str) -> None:
    global _bare  # noqa: PLW0603 - a pool hands its processes nothing else that lasts
    _bare = etree.XMLSchema(etree.parse(str(Path(folder) / NAME)))


def _bare_batch(paths: list[Path]) -> int:
    return sum(1 for path in paths if _bare is not None and _bare.validate(etree.fromstring(path.read_bytes())))


def measure_folder(folder: Path, xml: bytes, *, count: int) -> dict[str, float]:
    """
    Judge a folder of equal forms in two processes, and let two bare ones do the same.

    In processor time of all processes, since others on the machine lengthen any other.
    """
    forms = folder / "forms"
    forms.mkdir()
    paths = [forms / f"{number:05}.xml" for number in range(count)]
    for path in paths:
        path.write_bytes(xml)
    job = Job(folder=folder, forms=(SPEC,), limits=Limits(), values=False)
    times: dict[str, list[float]] = {"ours": [], "baseline": []}
    for _ in range(1 if count < 1000 else 4):
        begin = _processor_seconds()
        judged = sum(1 for _ in check_all(job, sorted(forms.glob("*.xml")), processes=2, count=count))
        times["ours"].append(_processor_seconds() - begin)
        begin = _processor_seconds()
        batches = [paths[start : start + 100] for start in range(0, count, 100)]
        with ProcessPoolExecutor(2, initializer=_begin, initargs=(str(folder),)) as pool:
            valid = sum(pool.map(_bare_batch, batches))
        times["baseline"].append(_processor_seconds() - begin)
        if judged != count or valid != count:
            raise RuntimeError("not all were judged")
    grown = _memory_of_folder(folder, forms)
    shutil.rmtree(forms)
    mine, bare = min(times["ours"]), min(times["baseline"])
    return {
        "files": count,
        "ours_s": mine,
        "baseline_s": bare,
        "ratio": bare / mine,
        "memory_kb_all": grown["all"],
        "memory_kb_tenth": grown["tenth"],
    }


def _processor_seconds() -> float:
    """The processor time of this process and of those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _memory_of_folder(folder: Path, forms: Path) -> dict[str, int]:
    """The most memory of ``altinn-bridge validate`` (its largest process) on a tenth of the folder, and on all."""
    tenth = folder / "tenth"
    tenth.mkdir()
    everything = sorted(forms.glob("*.xml"))
    for path in everything[: len(everything) // 10]:
        shutil.copy(path, tenth)
    peaks = {}
    for name, place in (("tenth", tenth), ("all", forms)):
        code = (
            "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        command = [sys.executable, "-m", "bridge.cli", "validate", "--schema", str(folder / NAME), str(place)]
        done = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True)
        peaks[name] = int(done.stdout)
    shutil.rmtree(tenth)
    return peaks


def measure_stream(folder: Path, *, megabytes: int) -> dict[str, float]:
    """Judge one large file; memory is what the process grew by."""
    path = folder / "large.xml"
    block = PERSON.format(n=1) * 1000
    with path.open("w") as file:
        file.write('<melding dataFormatId="9901"><avsender>Oppdiktet</avsender>')
        while file.tell() < megabytes * 1_000_000:
            file.write(block)
        file.write("</melding>")
    code = (
        "import resource, sys, time; from pathlib import Path; from benchmarks.forms import NAME, SPEC;"
        "from bridge.forms.registry import SchemaRegistry;"
        "folder = Path(sys.argv[1]); registry = SchemaRegistry(folder);"
        "registry.load([NAME]); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; begin = time.time();"
        "assert not registry.check_file(SPEC, folder / 'large.xml');"
        "print(time.time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], check=True, capture_output=True, text=True, env=dict(os.environ)
    )
    seconds, grown = map(float, done.stdout.split())
    size = path.stat().st_size
    path.unlink()
    return {"megabytes": size / 1e6, "seconds": seconds, "megabytes_a_second": size / 1e6 / seconds, "grown_kb": grown}


def show(results: Mapping[str, Any]) -> None:
    """Print a Markdown table."""
    print("| what | ours | baseline | ratio |\n| --- | --- | --- | --- |")
    for name, each in results.items():
        match each:
            case {"ours_us": mine, "baseline_us": bare, "ratio": ratio}:
                print(f"| {name} | {mine / 1000:.3f} ms | {bare / 1000:.3f} ms | {ratio:.2f} |")
            case {"ours_s": mine, "baseline_s": bare, "ratio": ratio, "files": files}:
                print(f"| {files} files of 50 KB | {mine:.1f} s | {bare:.1f} s | {ratio:.2f} |")
                print(f"| most memory, all and a tenth | {each['memory_kb_all']} kB | {each['memory_kb_tenth']} kB | |")
            case {"megabytes_a_second": rate, "grown_kb": grown, "megabytes": size}:
                print(f"| {size:.0f} MB streamed | {rate:.0f} MB/s | | grew by {grown:.0f} kB |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the numbers for machines")
    parser.add_argument("--quick", action="store_true", help="only show that it runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), quick=options.quick)
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        show(results)


if __name__ == "__main__":
    main()
