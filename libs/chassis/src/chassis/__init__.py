"""Chassis: what every service stands on. Config, health, shutdown, telemetry, HTTP server, tokens, database.

Knows no service and no topic. Import from the modules: each holds one noun.
"""
