"""How well payments are dated and banked: walk-forward over real invoices, and over invented behaviours.

`--data` takes a CSV of invoices (the IBM sample's columns, or any with `--mapping`). Its first `--warmup` share only
teaches, or what of `--history` is older. At every Monday only what was known then counts.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path

from bench.common import CORPUS, report, say
from catalyst.cashflow.backtest import Backtest, backtest, rows_of
from catalyst.cashflow.mapping import read_mapping
from catalyst.cashflow.tables import read_book
from catalyst.cashflow.types import InvoiceRecord

MAPPING = """
invoices:
  date_format: "%m/%d/%Y"
  columns:
    invoice_id: invoiceNumber
    customer: customerID
    segment: countryCode
    channel: PaperlessBill
    issued: InvoiceDate
    due: DueDate
    paid: SettledDate
    amount: InvoiceAmount
"""
DEV = CORPUS / "payments" / "ibm_ar_dev.csv"
START = date(2022, 1, 3)

Behaviour = Callable[[random.Random, int, int, int], tuple[int, int | None]]
"""(randomness, customer, day of issue, days in all) to (terms, delay in days; None: never paid)."""


def _own_pace(rng: random.Random, customer: int, _day: int, _days: int) -> tuple[int, int]:
    return 30, max(0, round(rng.gauss(15 + customer % 7 * 6, 4)))


def _new_customers(rng: random.Random, _customer: int, _day: int, _days: int) -> tuple[int, int]:
    return 30, max(0, round(rng.gauss(rng.choice((20, 45)), 6)))


def _drift(rng: random.Random, customer: int, day: int, days: int) -> tuple[int, int]:
    return 30, max(0, round(rng.gauss(15 + customer % 5 * 4 + 30 * day / days, 4)))


def _jump(rng: random.Random, customer: int, day: int, days: int) -> tuple[int, int]:
    return 30, max(0, round(rng.gauss(20 + customer % 5 * 3 + (25 if day > 0.7 * days else 0), 4)))


def _early(rng: random.Random, customer: int, _day: int, _days: int) -> tuple[int, int]:
    terms = (30, 60, 90)[customer % 3]
    return terms, max(0, terms - rng.randrange(12))


def _on_due(_rng: random.Random, customer: int, day: int, _days: int) -> tuple[int, int]:
    terms = (14, 30, 45, 60)[(customer + day) % 4]
    return terms, terms


def _heavy(rng: random.Random, customer: int, _day: int, _days: int) -> tuple[int, int]:
    return 30, min(400, round(math.exp(rng.gauss(3.0 + customer % 4 * 0.15, 0.9))))


def _noise(rng: random.Random, _customer: int, _day: int, _days: int) -> tuple[int, int]:
    return 30, rng.randrange(5, 60)


def _fridays(rng: random.Random, customer: int, day: int, _days: int) -> tuple[int, int]:
    ready = day + 20 + customer % 4 * 5 + rng.randrange(7)
    return 30, ready + (4 - ready) % 7 - day


def _some_never(rng: random.Random, customer: int, _day: int, _days: int) -> tuple[int, int | None]:
    return 30, None if customer % 12 == 0 and rng.random() < 0.7 else max(0, round(rng.gauss(25 + customer % 5 * 5, 6)))


BEHAVIOURS: dict[str, tuple[Behaviour, int, int]] = {
    "own_pace": (_own_pace, 40, 900),
    "new_customers": (_new_customers, 500, 600),
    "drift": (_drift, 30, 900),
    "jump": (_jump, 30, 900),
    "early_payers": (_early, 30, 600),
    "on_the_due_date": (_on_due, 20, 500),
    "heavy_tails": (_heavy, 40, 900),
    "only_noise": (_noise, 40, 600),
    "payment_runs_on_fridays": (_fridays, 25, 700),
    "some_never_pay": (_some_never, 40, 700),
    "thin_history": (_own_pace, 8, 60),
}
"""Name to behaviour, customers, invoices."""


def invented(name: str, seed: int) -> list[InvoiceRecord]:
    """A year and a half of one behaviour."""
    behave, customers, count = BEHAVIOURS[name]
    rng, days = random.Random(f"{name}:{seed}"), 540
    made = []
    for number, day in enumerate(sorted(rng.randrange(days) for _ in range(count))):
        customer = rng.randrange(customers)
        terms, delay = behave(rng, customer, day, days)
        issued = START + timedelta(day)
        paid = None if delay is None else issued + timedelta(delay)
        made.append(
            InvoiceRecord(
                invoice_id=f"{number}",
                customer=f"customer {customer}",
                issued=issued,
                due=issued + timedelta(terms),
                paid=paid,
                amount=Decimal(rng.randrange(1_000, 90_000)).scaleb(-2),
            )
        )
    return made


def real(path: Path, history: Path | None, mapping: Path | None) -> tuple[list[InvoiceRecord], float | None]:
    """The invoices, and the share that those of `history` make which began before the first of `path`."""
    maps = read_mapping(mapping.read_text() if mapping else MAPPING)
    told = list(read_book(str(path), maps, UTC).invoices)
    if history is None:
        return told, None
    known, first = {invoice.invoice_id for invoice in told}, min(invoice.issued for invoice in told)
    earlier = (invoice for invoice in read_book(str(history), maps, UTC).invoices if invoice.issued <= first)
    before = [invoice for invoice in earlier if invoice.invoice_id not in known]
    return [*before, *told], len(before) / (len(before) + len(told)) if before else None


def _history(options: argparse.Namespace) -> Path | None:
    """The development data teaches beside other data of its shape: that came later in time, and customers recur."""
    if options.history is not None:
        return None if str(options.history) == "none" else Path(options.history)
    other = options.mapping is None and options.data.resolve() != DEV.resolve()
    return DEV if other and DEV.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEV, help="invoices as CSV")
    parser.add_argument("--history", type=Path, help="earlier invoices, which only teach; none for none")
    parser.add_argument("--mapping", type=Path, help="a YAML column mapping, where the columns differ")
    parser.add_argument("--warmup", type=float, help="share of --data that only teaches; .6, quick .8")
    parser.add_argument("--seed", type=int, default=1, help="of the invented behaviours")
    parser.add_argument("--quick", action="store_true", help="the last fifth of the data, three behaviours")
    options = parser.parse_args()
    history = _history(options)
    invoices, share = real(options.data, history, options.mapping)
    warmup = share if share is not None else options.warmup or (0.8 if options.quick else 0.6)
    found = backtest(invoices, warmup=warmup, progress=_progress)
    _say(options.data.name, found)
    others = dict(
        _others(options.seed, list(BEHAVIOURS)[: 3 if options.quick else None], 0.8 if options.quick else 0.5)
    )
    figures = {
        "mae_days": round(found.ours.mae_days, 3),
        "coverage80": round(found.coverage80, 4),
        "wape_week": round(found.ours.wape_week, 4),
        "wape_4week": round(found.ours.wape_4week, 4),
        "width_days": round(found.width_days, 1),
        "invoices": found.invoices,
        "worst_excess_days": round(max(_excess(result) for result in [found, *others.values()]), 3),
    } | {f"mae_{name}": round(result.ours.mae_days, 3) for name, result in others.items()}
    figures |= {f"coverage80_{name}": round(result.coverage80, 3) for name, result in others.items()}
    peers = {
        peer: {
            "mae_days": round(tally.mae_days, 2),
            "wape_week": round(tally.wape_week, 3),
            "wape_4week": round(tally.wape_4week, 3),
        }
        for peer, tally in found.peers.items()
    }
    settings = {
        "data": options.data.name,
        "history": history.name if history else "none",
        "warmup": round(warmup, 3),
        "seed": options.seed,
        "quick": options.quick,
    }
    report("forecast", figures, peers=peers, settings=settings)


def _others(seed: int, names: list[str], warmup: float) -> Iterator[tuple[str, Backtest]]:
    for name in names:
        found = backtest(invented(name, seed), warmup=warmup)
        _say(name, found)
        yield name, found


def _excess(found: Backtest) -> float:
    """Days by which we miss more than the better of due date and global median; negative where we miss less."""
    return found.ours.mae_days - min(found.peers[name].mae_days for name in ("due_date", "global_median"))


def _say(name: str, found: Backtest) -> None:
    told = ", ".join(f"{who} {mae:.2f}" for who, mae, _, _ in rows_of(found))
    say(
        f"{name}: {found.invoices} invoices, MAE {told}; coverage {found.coverage80:.3f}, "
        f"width {found.width_days:.1f}; WAPE {found.ours.wape_week:.3f} weekly, {found.ours.wape_4week:.3f} four-weekly"
    )


def _progress(done: int, of: int) -> None:
    if done % 10 == 0 or done == of:
        say(f"week {done} of {of}")


if __name__ == "__main__":
    main()
