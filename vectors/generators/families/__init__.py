"""One module or package for each family of vectors. Its function build() returns the whole family."""
