"""What `make demo` may be asked for."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from devstack.errors import StageError
from devstack.layout import parse_port

DEFAULT_LIMIT = 400
CUSTOMERS = 50


@dataclass(frozen=True, slots=True)
class Options:
    """`seconds` replays the orders again and again for that long; `kill` is seconds between two SIGKILLs."""

    orders: Path | None = None
    products: Path | None = None
    limit: int = DEFAULT_LIMIT
    port: int = 8080
    seconds: float | None = None
    kill: float | None = None

    @staticmethod
    def add_to(parser: argparse.ArgumentParser) -> None:
        """Declare the flags."""
        parser.add_argument("--orders", type=Path, help="CSV (order_no, sku, quantity), may be gzipped")
        parser.add_argument("--products", type=Path, help="CSV (sku, name, price_minor, currency), may be gzipped")
        parser.add_argument("--limit", type=int, default=DEFAULT_LIMIT, help="how many orders")
        parser.add_argument("--port", default="8080", help="of the gateway")
        parser.add_argument("--seconds", type=float, help="replay the orders again and again for so long")
        parser.add_argument("--kill", type=float, help="SIGKILL a service process every so many seconds")

    @classmethod
    def of(cls, asked: argparse.Namespace) -> Self:
        """Checked options; raises StageError."""
        if (asked.orders is None) != (asked.products is None):
            raise StageError("ORDERS and PRODUCTS come together: give both files or none")
        if asked.limit < 1:
            raise StageError(f"LIMIT={asked.limit} leaves nothing to do; give 1 or more")
        chosen = {name: getattr(asked, name) for name in cls.__slots__}
        return cls(**{**chosen, "port": parse_port(asked.port)})
