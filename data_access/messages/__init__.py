"""The outbox: rendering, leases, delivery, templates."""
