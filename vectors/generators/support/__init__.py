"""What the families share. No module here imports a family."""
