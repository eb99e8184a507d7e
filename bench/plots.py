#!/usr/bin/env python3
"""Draws docs/figures/*.svg from what benchmarks print with --json.

    build/bench/vm_map --json > figures.json
    build/bench/vm_map_choices --json >> figures.json
    build/bench/page_out --json >> figures.json
    bench/plots.py figures.json docs/figures

A figure whose benchmark is not among the input is left as it is. Python's standard library only.
"""
import json
import math
import re
import sys
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 50, 60
COLOURS = ["#1b6ca8", "#d1495b", "#3c8d5a", "#edae49", "#66507e", "#7d8491", "#00798c", "#8c5e3c"]


class Figures:
    """What was measured: (bench, case, metric) -> value, and the ratios to peers."""

    def __init__(self, lines):
        self.values, self.ratios = {}, {}
        for line in filter(str.strip, lines):
            figure = json.loads(line)
            key = (figure["bench"], figure["case"], figure["metric"])
            self.values[key] = figure["value"]
            if figure.get("ratio"):
                self.ratios[key + (figure["peer"],)] = figure["ratio"]

    def value(self, bench, case, metric, peer=None):
        value = self.values.get((bench, case, metric))
        if value is None or peer is None:
            return value
        ratio = self.ratios.get((bench, case, metric, peer))
        return value / ratio if ratio else None

    def cases(self, bench, pattern):
        found = {}
        for name, case, _ in self.values:
            match = re.fullmatch(pattern, case)
            if name == bench and match:
                found[int(match.group(1))] = case
        return sorted(found.items())


class Axis:
    """Maps values to a stretch of the drawing, linearly or by their logarithms."""

    def __init__(self, values, start, end, log):
        self.log, self.start, self.end = log, start, end
        if log:
            self.low, self.high = min(values), max(values) * 1.1
            exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            self.low = min(self.low, 10 ** exponents[0]) if len(exponents) > 2 else self.low
            self.ticks = [10.0 ** e for e in exponents if self.low <= 10.0 ** e <= self.high * 1.001]
        else:
            step = 10 ** math.floor(math.log10(max(values)))
            while max(values) / step < 4:
                step /= 2
            self.low, self.high = 0, step * math.ceil(max(values) / step)
            self.ticks = [step * i for i in range(int(self.high / step) + 1)]

    def place(self, value):
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def number(value):
    if value >= 1024 and math.log2(value).is_integer():
        return f"{value // 2**20:g}Mi" if value >= 2**20 else f"{value // 2**10:g}Ki"
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


class Drawing:
    def __init__(self, title):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
        self.text(LEFT, 24, title, size=15)

    def text(self, x, y, text, anchor="start", size=12, turn=None):
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
                          f'font-size="{size}"{turned}>{escape(text)}</text>')

    def line(self, points, colour, width=1.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                          f'stroke-width="{width}"/>')

    def vertical_axis(self, axis, label):
        for tick in axis.ticks:
            y = axis.place(tick)
            self.line([(LEFT, y), (WIDTH - RIGHT, y)], "#ddd")
            self.text(LEFT - 6, y + 4, number(tick), "end")
        middle = (TOP + HEIGHT - BOTTOM) / 2
        self.text(18, middle, label, "middle", turn=-90)

    def legend(self, names):
        for i, name in enumerate(names):
            y = TOP + 10 + 18 * i
            self.parts.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="11" height="11" '
                              f'fill="{COLOURS[i % len(COLOURS)]}"/>')
            self.text(WIDTH - RIGHT + 31, y, name)

    def svg(self):
        return "\n".join(self.parts + ["</svg>"]) + "\n"


def lines(title, x_label, y_label, series, log_y=True):
    """series: name -> [(x, y), ...]; x is always logarithmic."""
    drawing = Drawing(title)
    points = [point for line in series.values() for point in line]
    across = Axis([x for x, _ in points], LEFT, WIDTH - RIGHT, log=True)
    up = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP, log_y)
    drawing.vertical_axis(up, y_label)
    for x in sorted({x for x, _ in points}):
        drawing.text(across.place(x), HEIGHT - BOTTOM + 18, number(x), "middle")
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, x_label, "middle")
    for i, line in enumerate(series.values()):
        placed = [(across.place(x), up.place(y)) for x, y in line]
        colour = COLOURS[i % len(COLOURS)]
        drawing.line(placed, colour, 2)
        for x, y in placed:
            drawing.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
    drawing.legend(series)
    return drawing.svg()


def bars(title, y_label, groups, log_y=False):
    """groups: name -> {series: value}."""
    drawing = Drawing(title)
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    values = [value for group in groups.values() for value in group.values()]
    up = Axis(values, HEIGHT - BOTTOM, TOP, log_y)
    drawing.vertical_axis(up, y_label)
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    width = 0.8 * room / len(names)
    for g, (group, bars_of_group) in enumerate(groups.items()):
        for name, value in bars_of_group.items():
            i = names.index(name)
            x, y = LEFT + g * room + 0.1 * room + i * width, up.place(value)
            drawing.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" '
                                 f'height="{max(HEIGHT - BOTTOM - y, 1):.1f}" '
                                 f'fill="{COLOURS[i % len(COLOURS)]}"/>')
            drawing.text(x + width / 2, y - 3, f"{value:.3g}", "middle", 9)
        drawing.text(LEFT + (g + 0.5) * room, HEIGHT - BOTTOM + 18, group, "middle")
    drawing.legend(names)
    return drawing.svg()


# Each gives the drawing of one file, from figures that the file needs.

PEERS = ["std", "absl_flat", "boost_flat", "tbb", "radix", "fixed_bucket"]
CHOICES = "vm_map_choices"


def grouped(figures, bench, cases, metrics):
    """bars' groups: cases (file name -> label) of metrics (name -> label)."""
    groups = {label: {name: figures.value(bench, case, metric) for metric, name in metrics.items()}
              for case, label in cases.items()}
    return {label: {n: v for n, v in group.items() if v is not None}
            for label, group in groups.items()}


def vm_map_lookup(figures):
    groups = {}
    for case in ("dense_1m", "dense_4m", "aligned_1m", "scatter_1m", "scatter_4m"):
        groups[case] = {"vm_map": figures.value("vm_map", case, "lookup_dep")}
        for peer in PEERS:
            value = figures.value("vm_map", case, "lookup_dep", peer)
            if value is not None:
                groups[case][peer] = value
    return bars("One look-up that waits for the one before", "ns", groups)


def vm_map_hash(figures):
    cases = {f"hash_{name}": name for name in ("dense", "strided", "aligned", "scatter")}
    metrics = {"searched_fibonacci": "Fibonacci (ours)", "searched_murmur": "Murmur's finalizer",
               "searched_modulo": "modulo (ancestor)"}
    return bars("Blocks that a look-up goes through, by hash and pattern of pages",
                "blocks, mean", grouped(figures, CHOICES, cases, metrics), log_y=True)


def vm_map_cluster(figures):
    sizes = (1, 4, 8, 16, 32, 64, 128)
    series = {}
    for kind, name in (("dep", "dependent"), ("indep", "independent")):
        series[f"{name}"] = [(n, figures.value(CHOICES, "cluster_dense", f"lookup_{kind}_{n}"))
                             for n in sizes]
    return lines("Look-ups among a million consecutive pages, by the pages of a block",
                 "pages of a block", "ns", series, log_y=False)


def vm_map_locks(figures):
    cases = {"locks_t1": "1 thread", "locks_t2": "2 threads", "locks_t4": "4 threads"}
    metrics = {"lookup_vm_map": "no lock (ours)", "lookup_spin_64": "64 spinlocks",
               "lookup_mutex_64": "64 mutexes", "lookup_spin_1": "1 spinlock",
               "lookup_mutex_1": "1 mutex", "lookup_shared_1": "1 shared_mutex"}
    return bars("One look-up, by what guards it (2 cores)", "ns of wall time",
                grouped(figures, CHOICES, cases, metrics), log_y=True)


def vm_map_size(figures):
    series = {name: [(n, figures.value(CHOICES, case, f"lookup_dep_{name}"))
                     for n, case in figures.cases(CHOICES, r"size_(\d+)")]
              for name in ("dense", "scatter")}
    return lines("One look-up that waits for the one before, by the size of the table",
                 "pages in the table", "ns", series, log_y=False)


def vm_map_space(figures):
    cases = {"space_dense": "consecutive", "space_half": "every second",
             "space_runs_of_8": "runs of 8", "space_scatter": "lone"}
    groups = grouped(figures, CHOICES, cases, {"table": "vm_map"})
    for group in groups.values():
        if not group:
            raise ValueError("no figures")
        group["ancestor"] = 244
    return bars("Table for 4 GiB of pages", "MB", groups)


def vm_map_modified(figures):
    series = {}
    for metric, name in (("look_each_up", "look each page up"), ("walk_dirty", "walk what is dirty"),
                         ("tree", "tree of the modified")):
        series[name] = [(n, figures.value(CHOICES, case, metric))
                        for n, case in figures.cases(CHOICES, r"range_(\d+)")]
    return lines("Was any page of this range modified? (one in 1000 was)", "pages in the range", "us",
                 series)


def page_out_policies(figures):
    cases = {"zipf_b50": "zipf, 50 %", "zipf_b10": "zipf, 10 %", "hot_scan_b50": "hot + scan, 50 %",
             "hot_scan_b25": "hot + scan, 25 %", "phases_b10": "phases, 10 %"}
    groups = {}
    for case, label in cases.items():
        groups[label] = {"the pager": figures.value("page_out", case, "hard")}
        for peer in ("fifo", "clock", "lru", "2q", "opt"):
            groups[label][peer] = figures.value("page_out", case, "hard", peer)
    return bars("Hard faults, by policy, string of references and budget", "of 100 references", groups)


def page_out_standby(figures):
    cases = {"zipf_b50": "zipf", "hot_scan_b25": "hot", "walk_b50": "walk"}
    sizes = {"s2": "1/2", "s4": "1/4", "s8": "1/8 (ours)", "s16": "1/16", "batch": "64 frames"}
    groups = {}
    for case, label in cases.items():
        for metric, what in (("hard", "hard"), ("us", "time")):
            least = figures.value("page_out", case, f"{metric}_batch")
            groups[f"{label}: {what}"] = {
                name: figures.value("page_out", case, f"{metric}_{size}") / least
                for size, name in sizes.items()}
    return bars("Hard faults and processor's time, by the size of standby",
                "to a standby of 64 frames", groups)


def page_out_ahead(figures):
    ways = ("16", "64", "256", "1024", "4096")
    groups = {}
    for case, label in (("ahead_b100", "all fits"), ("ahead_b90", "90 % fits"),
                        ("ahead_b50", "50 % fits")):
        none = figures.value("page_out", case, "pages_per_s_0")
        groups[label] = {
            way: figures.value("page_out", case, f"pages_per_s_{way}") / none
            for way in ways}
    return bars("Pages a second, by how many frames are kept free", "to none kept free", groups,
                log_y=True)


def page_out_parking(figures):
    cases = {"park_b50": "50 % fits", "park_b25": "25 % fits"}
    metrics = {f"pages_per_s_{share}": f"1/{share} of the budget" for share in (2, 4, 8, 16, 64)}
    metrics["pages_per_s_4"] = "1/4 (ours)"
    return bars("Pages a second, by how many may be modified before they are parked", "pages a second",
                grouped(figures, "page_out", cases, metrics))


DRAWINGS = [vm_map_lookup, vm_map_hash, vm_map_cluster, vm_map_locks, vm_map_size, vm_map_space,
            vm_map_modified, page_out_policies, page_out_standby, page_out_ahead,
            page_out_parking]


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: bench/plots.py FIGURES.json DIRECTORY")
    with open(sys.argv[1], encoding="utf-8") as file:
        figures = Figures(file)
    directory = Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    for draw in DRAWINGS:
        try:
            svg = draw(figures)
        except (TypeError, ValueError):  # something it needs was not measured
            print(f"{draw.__name__}: left as it is, its benchmark is not in {sys.argv[1]}")
            continue
        (directory / f"{draw.__name__}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
