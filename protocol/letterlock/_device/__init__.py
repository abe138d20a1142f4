"""This device: its identity, its prekeys and the peers it knows."""
