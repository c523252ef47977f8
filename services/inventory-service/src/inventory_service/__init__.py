"""inventory-service: what there is, what is promised, what is sold.

owns      the catalogue, stock, restocks, reservations (open -> sold | released, sold -> restocked; rejected, refused)
serves    GET /products, GET /products/{sku}, PUT /products/{sku}, POST /products/{sku}/restocks
emits     stock.reserved, stock.rejected, stock.released (inventory-events)
          product.listed, product.updated (product-events)
consumes  order.placed, order.confirmed, order.rejected, order.cancelled (order-events)
"""

NAME = "inventory-service"
VERSION = "0.1.0"
SOURCE = f"/{NAME}"
"""`ce_source` of its events."""
