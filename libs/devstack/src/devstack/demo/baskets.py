"""What is bought: baskets from files, or a small seeded catalogue of our own. A fault names its file and line."""

import csv
import gzip
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from devstack.errors import StageError

MAX_LINES = 100
MAX_QUANTITY = 10_000
SEED = 20_111_209
MATERIALS = ("oak", "tin", "glass", "linen", "copper", "paper", "slate", "wool")
GOODS = ("lantern", "bowl", "clock", "kite", "mug")

Basket = dict[str, int]
"""SKU -> quantity."""


class Product(NamedTuple):
    """A row of the catalogue; the price is in minor units."""

    sku: str
    name: str
    price_minor: int
    currency: str


def built_in_products() -> list[Product]:
    """Forty products."""
    draw = random.Random(SEED)
    names = [f"{material} {good}" for good in GOODS for material in MATERIALS]
    return [Product(f"WB-{n:03}", name, draw.randrange(150, 9_900), "EUR") for n, name in enumerate(names, start=1)]


def built_in_baskets(products: list[Product], count: int) -> list[Basket]:
    """Baskets of one to five lines; the first products are bought most, as in any shop."""
    draw = random.Random(SEED + 1)
    weights = [1 / (n + 3) for n in range(len(products))]
    skus = [product.sku for product in products]
    return [
        {sku: draw.randint(1, 4) for sku in draw.choices(skus, weights, k=draw.randint(1, 5))} for _ in range(count)
    ]


def read_products(file: Path) -> list[Product]:
    """The catalogue; raises StageError."""
    return [
        Product(row["sku"], row["name"][:200], _whole(file, line, row, "price_minor", 0, 10**9), row["currency"])
        for line, row in _rows(file, ("sku", "name", "price_minor", "currency"))
    ]


def read_baskets(file: Path, catalogue: frozenset[str], limit: int) -> list[Basket]:
    """The first `limit` orders; one of more than 100 lines becomes several. Raises StageError."""
    baskets: list[Basket] = []
    for basket in _orders(file, catalogue):
        lines = list(basket.items())
        baskets += [dict(lines[start : start + MAX_LINES]) for start in range(0, len(lines), MAX_LINES)]
        if len(baskets) >= limit:
            return baskets[:limit]
    if not baskets:
        raise StageError(f"{file} holds no orders")
    return baskets


def _orders(file: Path, catalogue: frozenset[str]) -> Iterator[Basket]:
    """Lines of one number that follow each other are one order."""
    basket: Basket = {}
    number: str | None = None
    for line, row in _rows(file, ("order_no", "sku", "quantity")):
        if number is not None and row["order_no"] != number:
            yield basket
            basket = {}
        number, sku = row["order_no"], row["sku"]
        if sku not in catalogue:
            raise StageError(f"{file}, line {line}: SKU {sku!r} is not in the products file")
        basket[sku] = min(MAX_QUANTITY, basket.get(sku, 0) + _whole(file, line, row, "quantity", 1, MAX_QUANTITY))
    if basket:
        yield basket


def _rows(file: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, row) of a CSV with these columns."""
    try:
        with _opened(file) as text:
            reader = csv.DictReader(text)
            if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
                raise StageError(f"{file}, line 1: the header lacks {', '.join(missing)}")
            for row in reader:
                if any(not row[name] for name in columns):
                    raise StageError(f"{file}, line {reader.line_num}: there are fewer than {len(columns)} values")
                yield reader.line_num, row
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise StageError(f"{file} cannot be read: {error}") from error


def _opened(file: Path) -> TextIO:
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding="utf-8", newline="")
    return file.open(encoding="utf-8", newline="")


def _whole(file: Path, line: int, row: dict[str, str], name: str, low: int, high: int) -> int:
    text = row[name]
    if not text.isdecimal() or not low <= int(text) <= high:
        raise StageError(f"{file}, line {line}: {name} {text!r} is not a whole number from {low} to {high}")
    return int(text)
