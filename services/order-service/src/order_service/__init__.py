"""order-service: the life of an order.

owns      orders (pending -> confirmed | rejected | cancelled, confirmed -> cancelled), their keys and history
serves    POST /orders, GET /orders, GET /orders/{id}, GET /orders/{id}/history, POST /orders/{id}/cancel
emits     order.placed, order.confirmed, order.rejected, order.cancelled        (order-events)
consumes  stock.reserved, stock.rejected, stock.released (inventory-events); products and users (projections)
"""

NAME = "order-service"
VERSION = "0.1.0"
SOURCE = f"/{NAME}"
"""`ce_source` of its events."""
