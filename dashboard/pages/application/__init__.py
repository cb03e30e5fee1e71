"""One application: facts, evidence, checks, thread and decision."""
