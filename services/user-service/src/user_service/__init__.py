"""user-service: who may ask, and the tokens that prove it. Flat on purpose: plain CRUD needs no layers of rules.

owns      users (active -> deactivated), refresh tokens, the keys that sign access tokens
serves    POST /users, GET|PATCH|DELETE /users/me, GET /users/{id}, POST /oauth/token, POST /oauth/revoke,
          GET /.well-known/jwks.json, GET /.well-known/openid-configuration
emits     user.registered, user.updated, user.deactivated (user-events)
consumes  nothing
"""

NAME = "user-service"
VERSION = "0.1.0"
SOURCE = f"/{NAME}"
"""`ce_source` of its events."""
