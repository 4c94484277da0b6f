"""The numbers, side by side: gateway, plain forced command, their ratio, and the budget that the ratio has."""
import statistics

TITLE = 60


def show(value, unit):
    if value is None:
        return "-"
    digits = 3 if value < 1 else 2 if value < 100 else 0
    return f"{value:.{digits}f} {unit}"


class Budget:
    """`at_most` or `at_least`; of the ratio unless `unit` says of what."""

    def __init__(self, limit, at_least=False, unit=""):
        self.limit, self.at_least, self.unit = limit, at_least, unit

    def __str__(self):
        return f"{'>=' if self.at_least else '<='} {self.limit:g} {self.unit}".rstrip()

    def verdict(self, value):
        return "within" if (value >= self.limit if self.at_least else value <= self.limit) else "over"


def print_head(title):
    print(f"\n{title}\n{'':{TITLE}} {'gateway':>12} {'plain':>12} {'ratio':>7} {'(of pairs)':>14}  budget", flush=True)


def print_row(title, gateway, plain, unit, budget=None, judged=None, reverse=False):
    """Medians of two lists of samples; `reverse` where more time means a smaller ratio. `judged` is what the budget is
    about where that is not the ratio."""
    middle = [statistics.median(samples) if samples else None for samples in (gateway, plain)]
    ratio, pairs = None, ""
    if gateway and plain:
        ratios = [(b / a if reverse else a / b) for a, b in zip(gateway, plain)]
        ratio = middle[1] / middle[0] if reverse else middle[0] / middle[1]
        pairs = f"{min(ratios):.2f}..{max(ratios):.2f}" if len(ratios) > 1 else ""
    value = ratio if judged is None else judged
    verdict = f"{budget} {budget.verdict(value)}" if budget else ""
    if budget and judged is not None and judged != middle[0]:
        verdict += f" ({show(judged, budget.unit)})"
    print(f"{title:{TITLE}} {show(middle[0], unit):>12} {show(middle[1], unit):>12} "
          f"{'' if ratio is None else f'{ratio:.2f}':>7} {pairs:>14}  {verdict}".rstrip(), flush=True)


def print_fault(title, error):
    print(f"{title:{TITLE}} not measured: {type(error).__name__}: {error}", flush=True)
