"""Measure and judge the risk signals of affiliates."""
