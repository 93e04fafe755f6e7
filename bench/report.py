# SPDX-License-Identifier: MIT
"""What the bench writes: one CSV of every sample's summary, and tables a person reads."""
import csv
import statistics


def median(values):
    return statistics.median(values)


def spread(values):
    """Half the distance between the quartiles, as a share of the median."""
    if len(values) < 4:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4)
    middle = median(values)
    return (high - low) / 2 / middle if middle else 0.0


class Report:
    """Collects rows and prints each as it comes; the CSV is written at the end."""

    FIELDS = ["table", "case", "value", "unit", "spread", "samples", "reference",
              "reference_value", "ratio", "target", "met"]

    def __init__(self):
        self.rows = []

    def heading(self, title):
        print(f"\n{title}")
        print(f"  {'case':<44} {'median':>12} {'+/-':>5} {'reference':>12} {'ratio':>7}  target")

    def row(self, table, case, values, unit, reference=None, reference_name="", ratio=None,
            target="", met=None):
        """values and reference are lists of samples; ratio defaults to the medians' quotient."""
        value = median(values)
        against = median(reference) if reference else None
        if ratio is None and against:
            ratio = value / against
        self.rows.append({
            "table": table, "case": case, "value": f"{value:.3f}", "unit": unit,
            "spread": f"{spread(values):.3f}", "samples": len(values),
            "reference": reference_name,
            "reference_value": "" if against is None else f"{against:.3f}",
            "ratio": "" if ratio is None else f"{ratio:.3f}", "target": target,
            "met": "" if met is None else ("yes" if met else "no")})
        shown = f"{value:.1f} {unit}"
        ref = "" if against is None else f"{against:.1f} {unit}"
        quotient = "" if ratio is None else f"{ratio:.3f}"
        verdict = "" if met is None else ("  met" if met else "  MISSED")
        print(f"  {case:<44} {shown:>12} {spread(values) * 100:4.0f}% {ref:>12} {quotient:>7}"
              f"  {target}{verdict}", flush=True)

    def write(self, path):
        with open(path, "w", newline="", encoding="ascii") as file:
            writer = csv.DictWriter(file, self.FIELDS)
            writer.writeheader()
            writer.writerows(self.rows)
