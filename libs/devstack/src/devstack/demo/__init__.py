"""The demo: real orders through the whole system, watched live, measured, traced and audited."""
