"""The program's figures, one module per subject; each figure of the KPI table is one query.

All days are UTC and periods are half-open. Counts of applications use
`data_access.applications.conditions`, as do the lists behind them.
"""
