"""What HTTP sees of the catalogue: bodies in, bodies out. Unknown fields are refused."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from inventory_service.repository import Product as StoredProduct

SKU_PATTERN = r"^[^\x00-\x1f/]+$"
Sku = Annotated[str, Path(min_length=1, max_length=64, pattern=SKU_PATTERN)]
TEXT_PATTERN = r"^[^\x00]+$"
"""PostgreSQL's text cannot hold NUL."""


class ProductBody(BaseModel):
    """A product as the catalogue's keeper writes it; money in the currency's minor unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT_PATTERN)]
    price_minor: Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", min_length=3, max_length=3)]
    active: Annotated[bool, Field(strict=True)] = True


class Product(BaseModel):
    """A product as everybody sees it."""

    sku: str
    name: str
    price_minor: int
    currency: str
    active: bool
    available: int

    @classmethod
    def shown(cls, stored: StoredProduct) -> Self:
        """From its row."""
        return cls.model_validate(stored, from_attributes=True)


class Page(BaseModel):
    """Products, newest first; `next` is the cursor of the following page."""

    items: list[Product]
    next: str | None


class RestockBody(BaseModel):
    """A delivery into the warehouse."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class Restock(BaseModel):
    """A delivery that was booked."""

    id: UUID
    sku: str
    quantity: int


Position = tuple[datetime, str]
"""Sort key of the catalogue's pages."""
