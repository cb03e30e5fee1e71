"""Between browsers and pages: identity, permissions, request checks and logging."""
