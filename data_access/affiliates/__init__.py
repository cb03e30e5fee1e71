"""Approved affiliates: monthly requalification, standing, outcomes."""
