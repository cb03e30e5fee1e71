"""The program's figures, a module a noun. Each figure of the registry is one query.

All days are UTC and periods half-open. What counts applications is made from the conditions of
`data_access.slices`, as is the list behind it.
"""
