"""The operations that vectors ask for: one module a subject, each with a table `OPERATIONS` of its own.

Not here: how the tables are joined and asked (library.py).
"""
