"""Documents: files that are sealed once, shared by grants, and read for years.

Not here: people and their devices (user/); storage of sealed files, and the network.
"""
